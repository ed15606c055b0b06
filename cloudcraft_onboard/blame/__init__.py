"""What the program believes about errors: a table of symptom, cause and next step, a row a kind.

`facts` is what is known of one error, `row` the shape of a row, `words` makes the sentences. The
table itself is `credentials`, `access`, `settings`, `service` and `stacksets`; `table` joins them.
The first row that fits an error is its cause; `ours` are what the program finds by itself. Who
adds a kind adds a row, and its provocation to `tests/whole/aws/blame/`.
"""

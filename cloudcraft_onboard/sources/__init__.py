"""Where the accounts of a manifest come from (README, Creating and updating it).

found.py         what every source answers: candidates, what was left out, the way in
entries.py       candidates as entries of a manifest; pure
news.py          what a manifest lacks of them
organization.py  AWS Organizations
profiles.py      the profiles of the AWS config
sso.py           IAM Identity Center
listed.py        a list that exists already: CSV, YAML or JSON
formats.py       where the rows of such a list are; pure
columns.py       what the columns of such a list are called; pure
rows.py          what a row says; pure
identities.py    which accounts profiles lead to

Each source is one class with `find()`; nobody asks for its type.
"""

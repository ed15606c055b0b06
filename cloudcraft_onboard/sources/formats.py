"""Where the rows of a list are, recognised by what is in it. Pure.

Sources: c7n-org's README and the schema in its `cli.py`; Prowler's "Bulk provider provisioning";
the AWS CLI's reference of `organizations list-accounts`; Terraform's `output -json`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cloudcraft_onboard.console.harmless import listed
from cloudcraft_onboard.manifest.nodes import Items, Node, Pairs, Scalar, compose
from cloudcraft_onboard.manifest.source import SourceText
from cloudcraft_onboard.manifest.write import clean
from cloudcraft_onboard.sources.columns import Value, Word, looks_like_id, word_of
from cloudcraft_onboard.sources.rows import ListRow

_OTHER_CLOUDS = {
    "subscriptions": "Azure",
    "projects": "GCP",
    "tenancies": "OCI",
}
_KNOWN = (
    "a CSV whose header names a column `account_id`, c7n-org's accounts.yml, Prowler's providers"
    " file, or the JSON of `aws organizations list-accounts` or `terraform output -json`"
)
_SUFFIX = re.compile(r"[_-]?(?:aws[_-]?)?(?:account)?[_-]?(?:id|number|account)s?$", re.IGNORECASE)


@dataclass(kw_only=True)
class List:
    """What a file is, in words; its rows; and sentences about what is left out."""

    what: str
    rows: list[ListRow] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def recognised(source: SourceText) -> List:
    """The list in a text. What is wrong with it is noted in `source`."""
    if not source.text.strip():
        source.complain(1, 1, "the list is empty")
        return List(what="")
    table = _table(source)
    if table is not None:
        return table
    root = compose(source)
    if source.problems and not isinstance(root, Pairs | Items):
        source.problems[:] = source.problems[:1]
        return List(what="")
    found = _of_list(root) if isinstance(root, Items) else None
    if isinstance(root, Pairs):
        found = _of_mapping(source, root)
    if found is None:
        head = re.search(r"\b[0-9]{12}\b", source.lines[0])
        no_header = "the first line names no columns; " if head and root else ""
        source.complain(
            1, 1, f"{no_header}onboard does not know this kind of list: it reads {_KNOWN}"
        )
        return List(what="")
    return found


# --- CSV -----------------------------------------------------------------------------------------


def _table(source: SourceText) -> List | None:
    """The rows of a CSV with a header that names the ID; None for anything else."""
    lines = source.text.splitlines(keepends=True)
    told = (n for n, it in enumerate(lines) if it.strip() and not it.startswith(("#", "sep=")))
    skipped = next(told, None)
    if skipped is None:
        return None
    first = lines[skipped]
    delimiter = max(",;\t|", key=first.count)
    reader = csv.reader(lines[skipped:], delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        header = [cell.strip() for cell in next(reader)]
    except csv.Error:
        return None
    if not any(word_of(cell) is Word.ID and not cell.endswith(":") for cell in header):
        return None
    found = List(what="a CSV")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        source.complain(skipped + 1, 1, f"the column {twice[0]!r} is there twice; keep one")
    number = skipped + reader.line_num + 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.rows.append(_cells(source, header, cells, number))
            number = skipped + reader.line_num + 1
    except csv.Error as error:
        source.complain(number, 1, f"not valid CSV: {error}")
    return found


def _cells(source: SourceText, header: list[str], cells: list[str], line: int) -> ListRow:
    """One row; cells without a column are an error."""
    if any(cell.strip() for cell in cells[len(header) :]):
        source.complain(line, 1, f"{len(cells)} cells, but the header has {len(header)} columns")
    named = [
        (name or f"column {position + 1}", cell.strip())
        for position, (name, cell) in enumerate(zip(header, cells, strict=False))
    ]
    return ListRow(line=line, column=1, values={name: cell for name, cell in named if cell})


# --- YAML and JSON -------------------------------------------------------------------------------


def _of_list(root: Items) -> List | None:
    """Prowler's providers, or a bare list of accounts."""
    maps = [node for node in root.nodes if isinstance(node, Pairs)]
    if maps and all("provider" in node.nodes and "uid" in node.nodes for node in maps):
        what = "Prowler's providers"
    elif root.nodes and any(_is_account(node) for node in root.nodes):
        what = "a list of accounts"
    else:
        return None
    return List(what=what, rows=[_row(node) for node in root.nodes])


def _of_mapping(source: SourceText, root: Pairs) -> List | None:
    nodes = root.nodes
    if "version" in nodes and "accounts" in nodes:
        source.complain(1, 1, "this is a manifest already; `onboard plan` takes it as it is")
        return List(what="")
    accounts = nodes.get("Accounts")
    if isinstance(accounts, Items):
        if "NextToken" in nodes:
            key = root.keys["NextToken"]
            cut = "the list is cut off; let the AWS CLI write all of it (without --max-items)"
            source.complain(key.line, key.column, cut)
        what = "the list of `aws organizations list-accounts`"
        return List(what=what, rows=[_row(node) for node in accounts.nodes])
    if any(isinstance(nodes.get(key), Items) for key in ("accounts", *_OTHER_CLOUDS)):
        return _of_c7n(source, root)
    items = nodes.get("items")
    if isinstance(items, Items):
        return _of_list(items)
    return _of_terraform(source, root)


def _of_c7n(source: SourceText, root: Pairs) -> List:
    """c7n-org's accounts, with the variables that hold for all."""
    found = List(what="c7n-org's accounts")
    shared = _value(root.nodes["vars"]) if "vars" in root.nodes else None
    accounts = root.nodes.get("accounts")
    for node in accounts.nodes if isinstance(accounts, Items) else ():
        row = _row(node)
        own = row.values.get("vars")
        merged = {**_mapping(shared), **_mapping(own)}
        values = {**row.values, "vars": merged} if merged else row.values
        found.rows.append(ListRow(line=row.line, column=row.column, values=values))
    for key, cloud in _OTHER_CLOUDS.items():
        others = root.nodes.get(key)
        for node in others.nodes if isinstance(others, Items) else ():
            name = _mapping(_value(node)).get("name")
            told = f" {clean(name)}" if isinstance(name, str) else ""
            where = f"{source.path}:{node.line}"
            found.said.append(f"{where}: left out{told}: it is of {cloud}, not of AWS.")
    rest = [key for key in root.nodes if key not in ("accounts", "vars", *_OTHER_CLOUDS)]
    found.said += [f"{source.path}: left out `{clean(key)}`: it is not an account." for key in rest]
    return found


def _of_terraform(source: SourceText, root: Pairs) -> List | None:
    """Terraform's outputs, or the value of one of them (`terraform output -json NAME`)."""
    found = List(what="Terraform's outputs")
    outputs = {
        name: node
        for name, node in root.nodes.items()
        if isinstance(node, Pairs) and "value" in node.nodes and node.nodes.keys() & _OUTPUT
    }
    if not outputs or len(outputs) < len(root.nodes):
        rows = list(_rows("", root))
        found.rows = rows
        return found if any(_has_id(row) for row in rows) else None
    strangers = []
    for name, output in outputs.items():
        rows = list(_rows(_SUFFIX.sub("", name), output.nodes["value"]))
        if output.data.get("sensitive") is True:
            found.said.append(
                f"{source.path}:{root.keys[name].line}: left out the output {clean(name)}: it is"
                f" sensitive; `terraform output -json {clean(name)}` gives it alone."
            )
        elif any(_has_id(row) for row in rows) or (rows and _PROMISES.search(name)):
            found.rows += rows
        else:
            strangers.append(name)
    if strangers:
        found.said.append(
            f"{source.path}: left out {listed(strangers, 20)}: no AWS accounts are in"
            f" {'it' if len(strangers) == 1 else 'them'}."
        )
    return found


_OUTPUT = frozenset({"type", "sensitive"})
_PROMISES = re.compile(r"accounts$|account_?(?:ids?|numbers?)$", re.IGNORECASE)
"""Names of outputs that are about accounts, whatever is in them."""


def _rows(name: str, node: Node) -> Iterator[ListRow]:
    """The accounts in a value: an ID, an object with one, a list or a mapping of such."""
    if isinstance(node, Items):
        for each in node.nodes:
            yield from _rows("" if len(node.nodes) > 1 else name, each)
    elif isinstance(node, Pairs) and not _is_account(node):
        for key, each in node.nodes.items():
            yield from _rows(key, each)
    else:
        yield _row(node, name)


def _row(node: Node, name: str = "") -> ListRow:
    """A row of what a node says; a lone value is an ID."""
    value = _value(node)
    values = value if isinstance(value, Mapping) else {"account_id": value}
    return ListRow(line=node.line, column=node.column, values=values, name=name)


def _is_account(node: Node) -> bool:
    return _has_id(_row(node))


def _has_id(row: ListRow) -> bool:
    """Whether one of the columns for it has an account's ID."""
    return any(word_of(key) is Word.ID and looks_like_id(it) for key, it in row.values.items())


def _value(node: Node) -> Value:
    """What a node says; numbers and words as they are written."""
    if isinstance(node, Pairs):
        return {key: _value(each) for key, each in node.nodes.items()}
    if isinstance(node, Items):
        return [_value(each) for each in node.nodes]
    return node.text if isinstance(node, Scalar) and node.data is not None else None


def _mapping(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, Mapping) else {}

"""Copies of a dataset to damage. Files are linked, so a copy is quick; damage goes to a new file, never to the link."""

import json
import os
import shutil


def copy_of(dataset, folder):
    """A copy that shares every file with the original until one is replaced."""
    return shutil.copytree(dataset, folder, copy_function=os.link, ignore=shutil.ignore_patterns("exact"))


def replace(path, data):
    """Other content under the same name."""
    path.unlink()
    path.write_bytes(data)


def table(root, name):
    """A table's file."""
    return root / "v1.0-mini" / f"{name}.json"


def rows_of(root, name):
    """A table's rows."""
    return json.loads(table(root, name).read_text())


def write_rows(root, name, rows):
    """Other rows for a table. Python writes NaN and Infinity, though JSON has neither."""
    replace(table(root, name), json.dumps(rows).encode())


def change(root, name, number, /, **fields):
    """Change fields of one row; gives the changed row."""
    rows = rows_of(root, name)
    rows[number].update(fields)
    write_rows(root, name, rows)
    return rows[number]


def first_file(root, pattern):
    """The first file in order of name."""
    return sorted(root.glob(pattern))[0]

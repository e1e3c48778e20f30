"""Small files of many kinds, for readers that expect another."""

import gzip
import io
import json
import pickle
import sqlite3
import zipfile
from pathlib import Path

import numpy as np

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
HTML = "\n<!DOCTYPE html>\n<html><body>1,2</body></html>\n"
CODE = '"""Mine."""\nimport numpy as np\n\n\ndef gradient(w):\n    return 2 * w\n'
NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
MARKDOWN = "# Notes\n\nRun this:\n\n```python\nimport numpy as np\n```\n\n| a | 1 |\n| - | - |\n"
JAVASCRIPT = 'import { one } from "./one.js";\nconst two = 2;\nexport const three = one(two, 1);\n'
TEMPLATE = "{% for row in rows %}\n| {{ row.name }} | 1 |\n| {{ row.more }} | 2 |\n{% endfor %}\n"


def _archive(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def _zip(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return file.getvalue()


#: Content by kind, as `compare.kinds` calls it.
CONTENTS: list[tuple[str, bytes]] = [
    ("a PNG image", PNG),
    ("a JPEG image", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
    ("a GIF image", b"GIF89a\x01\x00\x01\x00"),
    ("a PDF document", b"%PDF-1.7\n1 0 obj\n"),
    ("a gzip file", gzip.compress(b"height,weight\n1,2\n3,4\n", mtime=0)),
    ("a NumPy array (.npy)", _array()),
    ("a NumPy archive (.npz)", _archive(weights=np.zeros(3))),
    ("an Excel workbook", _zip("[Content_Types].xml", "xl/workbook.xml")),
    ("a PyTorch file", _zip("model/data.pkl", "model/version")),
    ("a zip archive", _zip("notes.txt")),
    ("an HTML page", HTML.encode()),
    ("an SVG image", b'<?xml version="1.0"?>\n<svg xmlns="x"></svg>'),
    ("Python code", CODE.encode()),
    ("a Jupyter notebook", NOTEBOOK.encode()),
    ("Markdown", MARKDOWN.encode()),
    ("text", JAVASCRIPT.encode()),
    ("text", TEMPLATE.encode()),
    ("text in UTF-16, not in UTF-8", "height,weight\n1,2\n".encode("utf-16")),
    ("binary data", pickle.dumps(np.arange(9.0))),
]


def database(path: Path) -> None:
    """An SQLite database."""
    with sqlite3.connect(path) as connection:
        connection.execute("create table numbers (x)")
    connection.close()

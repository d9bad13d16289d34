"""What is promised has its tests."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "promises.md"


def test_every_promise_names_tests_that_are_there():
    promises = PAGE.read_text().split("\n## ")[1:]
    assert len(promises) == 8
    for promise in promises:
        named = re.findall(r"\| `([\w/]+\.py)(?:::(\w+))?` \|", promise)
        assert len(named) >= 3, promise
        assert len(named) == len(re.findall(r"^\| .*\.py", promise, re.M)), promise
        for path, name in named:
            tree = ast.parse((TESTS / path).read_text())
            there = [
                node.name for node in tree.body if isinstance(node, ast.FunctionDef)
            ]
            assert not name or name in there, f"{path} has no {name}"

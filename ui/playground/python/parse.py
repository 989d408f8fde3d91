"""Parses the program in the editor, without running it."""
import ast
import json
import warnings

from .program import FILE


def parse(source):
    """The answer as JSON: `problem` says what is wrong with the program, and where."""
    try:
        with warnings.catch_warnings(action='ignore'):  # the program reports them when it runs
            ast.parse(source, FILE)
        return json.dumps({'tree': None, 'problem': None})
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        return json.dumps({'tree': None, 'problem': {'text': f'{type(error).__name__}: {error.msg}', 'line': max(line, 1), 'column': max(column, 1)}})
    except (ValueError, RecursionError, MemoryError) as error:
        return json.dumps({'tree': None, 'problem': {'text': str(error), 'line': 1, 'column': 1}})

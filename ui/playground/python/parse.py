"""Parses the program in the editor, without running it: its tree, or what is wrong with it."""
import json
import warnings

from .tree import TooLarge, tree_of


def parse(source):
    """The answer as JSON: `tree` is JSON in itself, or null; `problem` says why."""
    try:
        with warnings.catch_warnings(action='ignore'):  # the program reports them when it runs
            return answer(tree_of(source))
    except SyntaxError as error:
        return answer(None, f'{type(error).__name__}: {error.msg}', error.lineno, error.offset)
    except (TooLarge, ValueError, RecursionError, MemoryError) as error:
        return answer(None, f'{type(error).__name__}: {error}')


def answer(tree, problem=None, line=1, column=1):
    place = {'line': max(line or 1, 1), 'column': max(column or 1, 1)}
    return json.dumps({'tree': tree, 'problem': None if problem is None else {'text': problem[:2000], **place}})

"""A program's syntax tree, as JSON: what translate/ turns into TypeScript.

Each node is an object with the name of its class in `ast`, its place, and its fields under their own names (`type` of a
handler is `of`). Numbers travel as text: JSON has one kind only, and rounds.
"""
import ast
import io
import json
import tokenize

MOST_NODES = 50_000
DEEPEST = 100


class TooLarge(Exception):
    """The program has more nodes, or deeper ones, than are translated."""


def tree_of(source):
    """The tree as JSON text; a SyntaxError if `source` is not Python."""
    count = 0

    def constant(value):
        if value is None or value is Ellipsis:
            return {'kind': 'none' if value is None else 'ellipsis', 'value': None}
        if isinstance(value, bool):
            return {'kind': 'bool', 'value': value}
        if isinstance(value, (int, float, str)):
            return {'kind': type(value).__name__, 'value': value if isinstance(value, str) else repr(value)}
        return {'kind': type(value).__name__, 'value': None}

    def plain(value, depth):
        nonlocal count
        if depth > DEEPEST:
            raise TooLarge(f'the program is nested more than {DEEPEST} deep')
        if isinstance(value, list):
            return [plain(item, depth) for item in value]
        if not isinstance(value, ast.AST):
            return value
        count += 1
        if count > MOST_NODES:
            raise TooLarge(f'the program has more than {MOST_NODES} parts')
        if isinstance(value, (ast.operator, ast.unaryop, ast.boolop, ast.cmpop)):
            return type(value).__name__
        made = {'type': type(value).__name__}
        if hasattr(value, 'lineno'):
            made.update(line=value.lineno, column=value.col_offset + 1, endLine=value.end_lineno)
        if isinstance(value, ast.Constant):
            return {**made, **constant(value.value)}
        for name, field in ast.iter_fields(value):
            if name not in ('ctx', 'type_comment', 'type_ignores'):
                made['of' if name == 'type' else name] = plain(field, depth + 1)
        return made

    try:
        module = plain(ast.parse(source, 'program.py'), 0)
    except RecursionError:
        raise TooLarge('the program is nested too deep') from None
    module['comments'] = comments_of(source)
    return json.dumps(module)


def comments_of(source):
    """The comments, each with its line and whether nothing else is on that line."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [
        {'line': token.start[0], 'text': token.string[1:].strip(), 'alone': token.line[:token.start[1]].strip() == ''}
        for token in tokens if token.type == tokenize.COMMENT
    ]

"""Places in the program, as the page shows them."""
from itertools import islice

FILE = 'program.py'


def is_program(code):
    return code.co_filename == FILE


def of(frame):
    code = frame.f_code
    line, column = frame.f_lineno or 1, 0
    positions = code.co_positions()
    for _, at in zip(range(frame.f_lasti // 2 + 1), positions):
        line, column = at[0] or line, at[2] or 0
    return {'function': code.co_name, 'file': FILE, 'line': line, 'column': column + 1}


def after(code, offset):
    """The place of the first instruction from this offset on that has one."""
    for line, _, column, _ in islice(code.co_positions(), offset // 2, None):
        if line is not None:
            return {'function': code.co_name, 'file': FILE, 'line': line, 'column': (column or 0) + 1}
    return None


def innermost(frame):
    """The place of the innermost frame of the program on the stack; None if it is not on it."""
    while frame is not None:
        if is_program(frame.f_code):
            return of(frame)
        frame = frame.f_back
    return None

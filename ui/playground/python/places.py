"""Places in the program, as the page shows them."""
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


def innermost(frame):
    """The place of the innermost frame of the program on the stack; None if it is not on it."""
    while frame is not None:
        if is_program(frame.f_code):
            return of(frame)
        frame = frame.f_back
    return None

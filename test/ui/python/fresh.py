"""Runs a program of the page as in an interpreter of its own, which the page has and a test cannot pay for: asyncio and the
page's modules are imported anew each time.
"""
import sys
import warnings


def run_fresh(code, recorded):
    saved = {}
    for name in list(sys.modules):
        if name in ('asyncio', '_asyncio') or name.startswith(('asyncio.', 'loopscope_page')):
            saved[name] = sys.modules.pop(name)
    streams = sys.stdout, sys.stderr
    main = sys.modules['__main__']
    filters = warnings.filters[:]
    try:
        if sys.monitoring.get_tool(4) is not None:
            sys.monitoring.free_tool_id(4)
        from loopscope_page import program
        return program.start(code, 'virtual', 1e6, recorded)
    finally:
        for name in list(sys.modules):
            if name.startswith(('asyncio', '_asyncio', 'loopscope_page')):
                del sys.modules[name]
        sys.modules.update(saved)
        sys.stdout, sys.stderr = streams
        sys.modules['__main__'] = main
        warnings.filters[:] = filters

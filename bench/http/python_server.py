"""The same answers in Python, by the server that is named: prints its port, and then, for each line that it reads, the processor time that it has used, in microseconds."""
import asyncio
import os
import socket
import sys
import threading


async def application(scope, receive, send):
    """`/` says hello, `/echo` returns the body: what the ASGI application of the comparison does, message by message."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    body = b'{"hello":"world"}'
    if scope["path"] == "/echo":
        body = b""
        more = True
        while more:
            event = await receive()
            body += event["body"]
            more = event.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


def starlette():
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def hello(request):
        return JSONResponse({"hello": "world"})

    return Starlette(routes=[Route("/", hello)])


def by_uvicorn(app, listener):
    import uvicorn

    uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False)).run(sockets=[listener])


def by_hypercorn(app, listener):
    import uvloop
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.loglevel = "CRITICAL"
    uvloop.install()
    asyncio.run(serve(app, config))


def answer():
    for _ in sys.stdin:
        times = os.times()
        print(round((times.user + times.system) * 1e6), flush=True)
    os._exit(0)


kind = sys.argv[1]
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 0))
listener.listen(2048)
print(listener.getsockname()[1], flush=True)
threading.Thread(target=answer, daemon=True).start()
(by_hypercorn if kind == "hypercorn" else by_uvicorn)(starlette() if kind == "starlette" else application, listener)

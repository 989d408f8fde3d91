"""The same answer from Starlette on uvicorn: prints its port, and then, for each line that it reads, the processor time that it has used, in microseconds."""
import os
import socket
import sys
import threading

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(request):
    return JSONResponse({"hello": "world"})


def answer():
    for _ in sys.stdin:
        times = os.times()
        print(round((times.user + times.system) * 1e6), flush=True)
    os._exit(0)


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
threading.Thread(target=answer, daemon=True).start()
app = Starlette(routes=[Route("/", hello)])
uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False)).run(sockets=[listener])

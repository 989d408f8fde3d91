"""Views and middleware, as a web framework has them."""
import asyncio
import time
from typing import Awaitable, Callable


class Request:
    def __init__(self, method, path, user=None):
        self.method = method
        self.path = path
        self.user = user


class Response:
    def __init__(self, body, status=200):
        self.body = body
        self.status = status

    def __repr__(self):
        return f'<Response {self.status} {self.body!r}>'


class HttpError(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


async def index(request):
    await asyncio.sleep(0.05)
    return Response('welcome')


async def profile(request):
    if request.user is None:
        raise HttpError(403, 'log in first')
    await asyncio.sleep(0.1)
    return Response(f'profile of {request.user}')


ROUTES = {'/': index, '/profile': profile}


async def dispatch(request):
    if request.path not in ROUTES:
        raise HttpError(404, f'no {request.path}')
    return await ROUTES[request.path](request)


async def handle(request):
    start = time.perf_counter()
    try:
        response = await dispatch(request)
    except HttpError as exc:
        response = Response(str(exc), status=exc.status)
    ms = (time.perf_counter() - start) * 1000
    print(f'{request.method} {request.path} {response} {ms:.0f} ms')
    return response


async def main():
    requests = [Request('GET', '/'), Request('GET', '/profile'), Request('GET', '/profile', user='ada'), Request('POST', '/nowhere')]
    responses = await asyncio.gather(*(handle(request) for request in requests))
    print([response.status for response in responses])


asyncio.run(main())

"""Commands that arrive in a queue, matched by their shape."""
import asyncio
from dataclasses import dataclass
from enum import Enum


class Mode(Enum):
    SLOW = 1
    FAST = 2


@dataclass
class Point:
    x: int
    y: int


@dataclass
class Circle:
    center: Point
    radius: int


def status(code):
    match code:
        case 200 | 201:
            return 'fine'
        case 404:
            return 'not found'
        case _ if code >= 500:
            return f'failed with {code}'
        case other:
            return f'strange: {other}'


def where(point):
    match point:
        case Point(x=0, y=0):
            return 'origin'
        case Point(0, y):
            return f'on the y axis at {y}'
        case Point(x, y) if x == y:
            return f'on the diagonal at {x}'
        case Point():
            return 'somewhere'


def describe(shape):
    match shape:
        case Circle(center=Point(0, 0), radius=r):
            return f'circle of {r} around the origin'
        case Circle(Point(x, _)) as circle:
            return f'circle of {circle.radius} at {x}'
        case Point(x, y):
            return f'point {x},{y}'
        case None:
            return 'nothing'


def fizz(n):
    match n % 3, n % 5:
        case 0, 0:
            return 'fizzbuzz'
        case 0, _:
            return 'fizz'
        case _, 0:
            return 'buzz'
    return str(n)


def total(numbers):
    match numbers:
        case []:
            return 0
        case [one]:
            return one
        case [first, *rest]:
            return first + total(rest)


def ends(words):
    match words:
        case [first, *_, last] if first == last:
            return f'same: {first}'
        case [first, *_, last]:
            return f'{first} to {last}'
        case _:
            return 'too short'


def speed(mode):
    match mode:
        case Mode.SLOW:
            return 1
        case Mode.FAST:
            return 10


def kind(value):
    match value:
        case str(text):
            return f'text {text.upper()}'
        case int():
            return f'number {value + 1}'
        case None:
            return 'none'


async def worker(queue):
    while True:
        match await queue.get():
            case ('say', text):
                print('says', text)
            case ('wait', seconds) if seconds > 1:
                print('too long:', seconds)
            case ('wait', seconds):
                await asyncio.sleep(seconds)
                print('waited', seconds)
            case ('stop',):
                break
        queue.task_done()
    print('stopped')


def greet(settings):
    match settings:
        case {'name': name, 'language': 'de'}:
            return f'Hallo {name}'
        case {'name': name}:
            return f'Hello {name}'
        case _:
            return 'Hello'


async def main():
    for code in [200, 404, 503, 302]:
        print(status(code))
    for point in [Point(0, 0), Point(0, 3), Point(2, 2), Point(1, 2)]:
        print(where(point))
    for shape in [Circle(Point(0, 0), 5), Circle(Point(1, 2), 3), Point(4, 5), None]:
        print(describe(shape))
    print([fizz(n) for n in range(1, 16)])
    print(total([]), total([4]), total([1, 2, 3]))
    print(ends(['a', 'b', 'a']), ends(['a', 'b']), ends(['a']))
    print(speed(Mode.SLOW), speed(Mode.FAST))
    print(kind('word'), kind(4), kind(None))
    print(greet({'name': 'Ada', 'language': 'de'}), greet({'name': 'Bob'}), greet({}))
    queue = asyncio.Queue()
    task = asyncio.create_task(worker(queue))
    await queue.put(('say', 'hello'))
    await queue.put(('wait', 2))
    await queue.put(('wait', 0.5))
    await queue.put(('stop',))
    await task


asyncio.run(main())

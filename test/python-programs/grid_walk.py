"""Walkers on a grid: places are tuples, in sets and as keys of dicts."""
import asyncio
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

STEPS = {'up': (0, -1), 'down': (0, 1), 'left': (-1, 0), 'right': (1, 0)}


@dataclass
class World:
    width: int
    height: int
    walls: set[tuple[int, int]] = field(default_factory=set)

    def neighbours(self, place):
        x, y = place
        for dx, dy in STEPS.values():
            left, top = x + dx, y + dy
            if 0 <= left < self.width and 0 <= top < self.height and (left, top) not in self.walls:
                yield left, top


async def shortest(world, start, goal):
    before = {start: None}
    queue = deque([start])
    while queue:
        place = queue.popleft()
        if place == goal:
            break
        for after in world.neighbours(place):
            if after not in before:
                before[after] = place
                queue.append(after)
        await asyncio.sleep(0.001)
    path = []
    place = goal
    while place is not None:
        path.append(place)
        place = before[place]
    return path[::-1]


async def walker(name, path, visits, seen):
    for place in path:
        visits[place] += 1
        seen[name].add(place)
        await asyncio.sleep(0.5)


async def main():
    world = World(4, 4)
    world.walls.add((1, 0))
    world.walls.add((1, 1))
    world.walls.add((1, 1))
    world.walls.add((3, 2))
    print(len(world.walls), (1, 1) in world.walls, (2, 2) in world.walls)
    path = await shortest(world, (0, 0), (3, 0))
    print(path)

    visits = Counter()
    seen = defaultdict(set)
    await asyncio.gather(walker('a', path, visits, seen), walker('b', path[2:6], visits, seen))
    print(sorted(visits.items()), visits[(0, 0)], visits[(3, 3)])
    print(sorted(seen['a'] - seen['b']), sorted(seen['a'] & seen['b']) == path[2:6], len(seen['a'] | {(9, 9), (0, 0)}))

    prices = {('tea', 'small'): 2, ('tea', 'large'): 3}
    prices['tea', 'small'] = 2.5
    prices[('coffee', 'small')] = 4
    prices.setdefault(('tea', 'large'), 9)
    print(len(prices), ('tea', 'large') in prices, prices.get(('tea', 'huge'), 0) == 0, prices.pop(('tea', 'large')) == 3, len(prices))
    for (drink, size), price in prices.items():
        print(drink, size, f'{price:.2f}')
    try:
        print(prices['tea', 'large'])
    except KeyError as error:
        print(error, repr(error))
    try:
        print({1: 'one'}[2])
    except KeyError as error:
        print(error, f'{error!r}')
    copy = dict(prices)
    del copy['coffee', 'small']
    print([drink for drink, _ in copy], len(prices))
    squares = {(x, y): x * y for x in range(3) for y in range(2)}
    print(squares, {(1, 2), (1, 2)} == {(1, 2)}, len({(n % 2, n % 3) for n in range(20)}), len(set([(1, 2), (1, 2), (2, 1)])))
    nested = {((0, 1), 'a'): 1}
    nested[(0, 1), 'a'] = 2
    print(nested, len(nested))


asyncio.run(main())

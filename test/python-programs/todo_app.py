"""A to-do list on a slow store, by somebody who comes from Django."""
import asyncio
from dataclasses import dataclass


@dataclass
class Todo:
    id: int
    title: str
    done: bool = False


class DoesNotExist(Exception):
    pass


class TodoManager:
    def __init__(self):
        self._rows = {}
        self._next_id = 1

    async def acreate(self, title):
        await asyncio.sleep(0.02)
        todo = Todo(id=self._next_id, title=title)
        self._rows[todo.id] = todo
        self._next_id += 1
        return todo

    async def aget(self, id):
        await asyncio.sleep(0.01)
        try:
            return self._rows[id]
        except KeyError as exc:
            raise DoesNotExist('Todo matching query does not exist: %d' % id) from exc

    async def afilter(self, done=None):
        await asyncio.sleep(0.01)
        return [todo for todo in self._rows.values() if done is None or todo.done == done]

    async def acount(self):
        return len(self._rows)


objects = TodoManager()


async def main():
    for title in ['write code', 'write tests', 'sleep']:
        await objects.acreate(title)
    todo = await objects.aget(2)
    todo.done = True
    print(todo)
    print('open: %s' % ', '.join(t.title for t in await objects.afilter(done=False)))
    print('{} of {} done'.format(len(await objects.afilter(done=True)), await objects.acount()))
    try:
        await objects.aget(99)
    except DoesNotExist as e:
        print(type(e).__name__, '-', e)


if __name__ == '__main__':
    asyncio.run(main())

import asyncio
from collections import defaultdict


class Broker:
    def __init__(self):
        self._subscribers = defaultdict(list)

    def subscribe(self, topic):
        queue = asyncio.Queue()
        self._subscribers[topic].append(queue)
        return queue

    async def publish(self, topic, message):
        for queue in self._subscribers[topic]:
            await queue.put(message)

    @property
    def topics(self):
        return sorted(self._subscribers)


async def subscriber(broker, name, topic, expected):
    queue = broker.subscribe(topic)
    for _ in range(expected):
        message = await queue.get()
        print(f'{name} received {message!r} on {topic}')


async def publisher(broker):
    await asyncio.sleep(0.1)
    await broker.publish('news', 'asyncio is 10')
    await broker.publish('sport', '3:2')
    await broker.publish('weather', "it's raining")
    await broker.publish('news', 'more at nine')


async def main():
    broker = Broker()
    async with asyncio.TaskGroup() as tg:
        tg.create_task(subscriber(broker, 'A', 'news', 2))
        tg.create_task(subscriber(broker, 'B', 'news', 1))
        tg.create_task(subscriber(broker, 'C', 'sport', 1))
        tg.create_task(publisher(broker))
    print(broker.topics)


asyncio.run(main())

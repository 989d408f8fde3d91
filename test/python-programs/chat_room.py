import asyncio


class ChatRoom:
    """Everybody in the room gets every message, except their own."""

    def __init__(self, topic):
        self.topic = topic
        self.members = {}

    def join(self, name):
        inbox = asyncio.Queue()
        self.members[name] = inbox
        self.say('*', f'{name} joined #{self.topic}')
        return inbox

    def leave(self, name):
        del self.members[name]
        self.say('*', f'{name} left')

    def say(self, sender, text):
        for name, inbox in self.members.items():
            if name != sender:
                inbox.put_nowait((sender, text))


async def reader(name, inbox):
    while True:
        sender, text = await inbox.get()
        print(f'[{name}] {sender}: {text}')


async def person(room, name, lines, pause):
    inbox = room.join(name)
    listening = asyncio.create_task(reader(name, inbox))
    for line in lines:
        await asyncio.sleep(pause)
        room.say(name, line)
    await asyncio.sleep(0.5)
    room.leave(name)
    listening.cancel()


async def main():
    room = ChatRoom('python')
    await asyncio.gather(
        person(room, 'ada', ['hello?', 'anyone here?'], 0.3),
        person(room, 'grace', ['hi ada!', 'debugging again'], 0.4),
        person(room, 'linus', ['hm.'], 1.0),
    )
    print('room is empty:', not room.members)

asyncio.run(main())

import asyncio
from itertools import count


class LogFile:
    def __init__(self):
        self.lines = []
        self.grown = asyncio.Event()

    def write(self, line):
        self.lines.append(line)
        self.grown.set()

    async def follow(self, start=0):
        position = start
        while True:
            while position >= len(self.lines):
                self.grown.clear()
                await self.grown.wait()
            yield self.lines[position]
            position += 1


async def writer(log):
    for number in count(1):
        level = 'ERROR' if number % 4 == 0 else 'INFO'
        log.write(f'{level} message {number}')
        if number == 9:
            log.write('EOF')
            return
        await asyncio.sleep(0.25)


async def grep(log, word):
    hits = 0
    async for line in log.follow():
        if line == 'EOF':
            break
        if word in line:
            hits += 1
            print(f'{word}: {line.lower()}')
    return hits


async def main():
    log = LogFile()
    errors, all_lines, _ = await asyncio.gather(grep(log, 'ERROR'), grep(log, 'message'), writer(log))
    print(errors, 'of', all_lines)


asyncio.run(main())

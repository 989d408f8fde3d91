import asyncio


class Progress:
    def __init__(self, total):
        self.total = total
        self.done = 0

    def advance(self, n=1):
        self.done += n

    def __str__(self):
        filled = self.done * 10 // self.total
        return f"[{'#' * filled}{'.' * (10 - filled)}] {self.done / self.total:>4.0%}"


async def work(progress, step):
    while progress.done < progress.total:
        await asyncio.sleep(step)
        progress.advance()


async def show(bars):
    while any(bar.done < bar.total for bar in bars):
        print(*[str(bar) for bar in bars], sep='  ')
        await asyncio.sleep(0.5)
    print(*[str(bar) for bar in bars], sep='  ')


async def main():
    bars = [Progress(5), Progress(10), Progress(20)]
    await asyncio.gather(show(bars), work(bars[0], 0.3), work(bars[1], 0.2), work(bars[2], 0.12))


asyncio.run(main())

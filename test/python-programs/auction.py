import asyncio
from enum import Enum, auto


class Phase(Enum):
    OPEN = auto()
    GOING = auto()
    SOLD = auto()


class Auction:
    def __init__(self, item):
        self.item = item
        self.best = None
        self.phase = Phase.OPEN
        self.bid_made = asyncio.Event()

    def bid(self, bidder, amount):
        if self.phase is Phase.SOLD:
            print(f'{bidder}: too late')
            return False
        if self.best is not None and amount <= self.best[1]:
            print(f'{bidder}: {amount} is too low')
            return False
        self.best = (bidder, amount)
        self.bid_made.set()
        print(f'{bidder} bids {amount}')
        return True

    async def run(self):
        for word in ['once', 'twice']:
            while True:
                self.bid_made.clear()
                try:
                    await asyncio.wait_for(self.bid_made.wait(), 1)
                    self.phase = Phase.OPEN
                except TimeoutError:
                    self.phase = Phase.GOING
                    print(f'going {word} ... ({self.phase.name.lower()})')
                    break
        self.phase = Phase.SOLD
        bidder, amount = self.best
        print(f'sold: {self.item} to {bidder} for {amount}')


async def bidder(auction, name, offers):
    for pause, amount in offers:
        await asyncio.sleep(pause)
        auction.bid(name, amount)


async def main():
    auction = Auction('a painting')
    await asyncio.gather(
        auction.run(),
        bidder(auction, 'Eve', [(0.1, 10), (0.5, 25), (5, 100)]),
        bidder(auction, 'Mallory', [(0.3, 20), (0.1, 15), (0.9, 30)]),
    )

asyncio.run(main())

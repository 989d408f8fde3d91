import asyncio


class Stock:
    def __init__(self, symbol, price):
        self.symbol = symbol
        self.price = price
        self.listeners = []

    def subscribe(self, callback):
        self.listeners.append(callback)

    async def move(self, changes):
        for change in changes:
            await asyncio.sleep(1)
            old, self.price = self.price, self.price + change
            for listener in self.listeners:
                listener(self, old)


def alarm(stock, old):
    if stock.price < old * 0.9:
        print(f'ALARM: {stock.symbol} fell from {old} to {stock.price}')


def ticker(stock, old):
    arrow = '^' if stock.price > old else 'v' if stock.price < old else '='
    print(f'{stock.symbol} {arrow} {stock.price}')


async def main():
    pyt, tsx = Stock('PYT', 100), Stock('TSX', 80)
    for stock in (pyt, tsx):
        stock.subscribe(ticker)
        stock.subscribe(alarm)
    await asyncio.gather(pyt.move([5, -20, 0, 3]), tsx.move([-1, -1, -30]))


asyncio.run(main())

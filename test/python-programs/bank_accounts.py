import asyncio


class InsufficientFunds(Exception):
    def __init__(self, account, amount):
        super().__init__(f'{account.owner} has only {account.balance}, not {amount}')
        self.account = account
        self.amount = amount


class Account:
    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance
        self.lock = asyncio.Lock()

    async def withdraw(self, amount):
        balance = self.balance
        await asyncio.sleep(0.01)
        if balance < amount:
            raise InsufficientFunds(self, amount)
        self.balance = balance - amount

    async def deposit(self, amount):
        balance = self.balance
        await asyncio.sleep(0.01)
        self.balance = balance + amount


async def transfer(source, target, amount):
    async with source.lock, target.lock:
        await source.withdraw(amount)
        await target.deposit(amount)
        print(f'{source.owner} -> {target.owner}: {amount}')


async def main():
    alice = Account('alice', 100)
    bob = Account('bob', 50)
    results = await asyncio.gather(
        transfer(alice, bob, 30),
        transfer(alice, bob, 60),
        transfer(alice, bob, 20),
        return_exceptions=True,
    )
    for result in results:
        if isinstance(result, InsufficientFunds):
            print('refused:', result, '- short of', result.amount - result.account.balance)
    print(alice.balance, bob.balance, alice.balance + bob.balance)

    # Without a lock: the lost update.
    carol = Account('carol', 0)
    await asyncio.gather(*(carol.deposit(10) for _ in range(5)))
    print('carol should have 50 and has', carol.balance)


asyncio.run(main())

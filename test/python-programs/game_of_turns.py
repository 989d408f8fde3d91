import asyncio
import random


async def main():
    rng = random.Random(2024)
    a_turn, b_turn, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    total = 0
    while total < 21:
        for name, mine in [('ann', a_turn), ('ben', b_turn)]:
            roll = rng.randint(1, 6)
            total += roll
            mine.set()
            await asyncio.sleep(0.1)
            print(f'{name} rolls {roll}, total {total}')
            if total >= 21:
                print(name, 'wins!' if total == 21 else 'is bust')
                break
    letters = list('abcdef')
    rng.shuffle(letters)
    print(letters, rng.choice(letters), round(rng.random(), 6), rng.sample(range(100), 3))


asyncio.run(main())

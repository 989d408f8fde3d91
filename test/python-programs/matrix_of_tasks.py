import asyncio


async def cell(row, column):
    await asyncio.sleep((row + column) / 10)
    return row * column


async def main():
    size = 4
    rows = await asyncio.gather(*[
        asyncio.gather(*[cell(r, c) for c in range(1, size + 1)]) for r in range(1, size + 1)
    ])
    for row in rows:
        print(' '.join(f'{value:3d}' for value in row))
    transposed = [[row[i] for row in rows] for i in range(size)]
    print(transposed == rows, sum(sum(row) for row in rows))
    print([value for row in rows for value in row if value % 2 == 1])
    print(rows[-1][-2:], rows[0][::-1], max(max(row) for row in rows))


asyncio.run(main())

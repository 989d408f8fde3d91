"""A crawler for a web site that is only a dictionary."""
import asyncio

SITE = {
    '/': ['/about', '/blog', '/shop'],
    '/about': ['/', '/team'],
    '/blog': ['/blog/1', '/blog/2', '/'],
    '/blog/1': ['/blog/2'],
    '/blog/2': [],
    '/shop': ['/shop/cart', '/missing'],
    '/shop/cart': ['/'],
    '/team': ['/about'],
}


class NotFound(Exception):
    pass


async def fetch(url: str) -> list[str]:
    await asyncio.sleep(0.05 * len(url))
    if url not in SITE:
        raise NotFound(f'404: {url}')
    return SITE[url]


class Crawler:
    def __init__(self, limit: int):
        self.seen: set[str] = set()
        self.broken: list[str] = []
        self.limit = asyncio.Semaphore(limit)

    async def visit(self, url: str, depth: int = 0) -> None:
        if url in self.seen:
            return
        self.seen.add(url)
        async with self.limit:
            try:
                links = await fetch(url)
            except NotFound as error:
                self.broken.append(str(error))
                return
        print(f"{'  ' * depth}{url} -> {len(links)} links")
        await asyncio.gather(*(self.visit(link, depth + 1) for link in links))


async def main():
    crawler = Crawler(limit=2)
    await crawler.visit('/')
    print(len(crawler.seen), 'pages seen, broken:', crawler.broken)
    print(', '.join(sorted(crawler.seen)))


if __name__ == '__main__':
    asyncio.run(main())

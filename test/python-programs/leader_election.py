import asyncio
from dataclasses import dataclass, field


@dataclass
class Node:
    id: int
    alive: bool = True
    leader: int | None = None
    log: list[str] = field(default_factory=list)


class Cluster:
    def __init__(self, size: int) -> None:
        self.nodes = {n: Node(n) for n in range(1, size + 1)}

    async def elect(self, starter: int) -> int:
        """The bully algorithm: whoever is alive and has the highest number wins."""
        candidate = starter
        while True:
            await asyncio.sleep(0.1)
            higher = [n for n in self.nodes if n > candidate and self.nodes[n].alive]
            if not higher:
                break
            print(f'node {candidate} asks {higher}')
            candidate = higher[0]
        for node in self.nodes.values():
            if node.alive:
                node.leader = candidate
                node.log.append(f'leader is {candidate}')
        return candidate


async def main() -> None:
    cluster = Cluster(5)
    print('elected', await cluster.elect(2))
    cluster.nodes[5].alive = False
    print('node 5 died')
    print('elected', await cluster.elect(1))
    for node in cluster.nodes.values():
        print(node)


if __name__ == '__main__':
    asyncio.run(main())

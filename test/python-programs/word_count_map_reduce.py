import asyncio
from collections import Counter

DOCUMENTS = [
    'to be or not to be',
    'to do is to be',
    'do be do be do',
]


async def count_words(document):
    await asyncio.sleep(len(document) / 100)
    return Counter(document.split())


async def main():
    counts = await asyncio.gather(*map(count_words, DOCUMENTS))
    total = Counter()
    for document, count in zip(DOCUMENTS, counts):
        print(repr(document), '->', len(count), 'different words')
        for word in count:
            total[word] += count[word]
    for word, number in total.most_common(3):
        print(f'{word:>4} {"*" * number}')
    words = {word for document in DOCUMENTS for word in document.split()}
    print(sorted(words), {len(word) for word in words} == {2, 3})


asyncio.run(main())

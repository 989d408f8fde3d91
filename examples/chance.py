"""Random numbers for example 5 that can be had again: `chance.ts`, number for number."""


class Chance:
    def __init__(self, seed):
        self.state = seed & 0xFFFFFFFF

    def next(self):
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        stirred = ((self.state ^ (self.state >> 16)) * 0x45D9F3B) & 0xFFFFFFFF
        return (stirred ^ (stirred >> 15)) / 2**32

    def uniform(self, low, high):
        return low + (high - low) * self.next()

    def choice(self, text):
        return text[int(self.next() * len(text))]

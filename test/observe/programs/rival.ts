// A program that takes all of a processor, until it is killed or a minute has passed.
const end = Date.now() + 60_000
while (Date.now() < end);

// It blocks its thread while it is loaded, for a shorter time than an observer takes to start; and ends.
for (const end = performance.now() + 120; performance.now() < end;);
console.log('loaded')

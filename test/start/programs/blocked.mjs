// It blocks its thread until it is killed.
function blockForever() {
  for (;;);
}

setTimeout(blockForever, 100)

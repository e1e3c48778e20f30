// What plays: the pass or the training, one at a time.

let ticking = null;

// Start to play, or stop it. `next` goes on by one, and says whether that is all, or the reader has gone elsewhere.
export function play(store, what, pace, next) {
  const was = store.state.playing;
  stop(store);
  if (was === what) return;
  store.set({ playing: what });
  ticking = setInterval(() => {
    // Followed another address, nothing is playing.
    if (store.state.playing !== what || next()) stop(store);
  }, pace);
}

function stop(store) {
  clearInterval(ticking);
  store.set({ playing: null });
}

// NumPy's legacy generator, `RandomState(seed)`, so that a seed means here what it means in Python.
//
// MT19937: Matsumoto & Nishimura 1998 (ACM TOMACS 8). Normal numbers by Marsaglia's polar method, two
// at a time, of which NumPy hands out the second first.

const N = 624;
const M = 397;

export class RandomState {
  constructor(seed) {
    this.state = new Uint32Array(N);
    this.state[0] = seed;
    for (let k = 1; k < N; k += 1) {
      const before = this.state[k - 1] ^ (this.state[k - 1] >>> 30);
      this.state[k] = Math.imul(1812433253, before) + k;
    }
    this.next = N;
    this.kept = null;
  }

  uint32() {
    if (this.next === N) this.#twist();
    let y = this.state[this.next];
    this.next += 1;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  #twist() {
    const s = this.state;
    for (let k = 0; k < N; k += 1) {
      const y = (s[k] & 0x80000000) | (s[(k + 1) % N] & 0x7fffffff);
      s[k] = s[(k + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }

  // From [0, 1), 53 bits.
  uniform() {
    const [a, b] = [this.uint32() >>> 5, this.uint32() >>> 6];
    return (a * 67108864 + b) / 9007199254740992;
  }

  // From N(0, 1).
  normal() {
    if (this.kept !== null) {
      const kept = this.kept;
      this.kept = null;
      return kept;
    }
    let x, y, square;
    do {
      x = 2 * this.uniform() - 1;
      y = 2 * this.uniform() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    this.kept = factor * x;
    return factor * y;
  }
}

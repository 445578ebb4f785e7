// Undoes codec.py: base 85, deflate, prediction.
"use strict";
const codec = (() => {
  const ALPHABET =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;'=>?@^_`{|}~";
  const VALUE = new Uint8Array(128);
  for (let i = 0; i < 85; i++) VALUE[ALPHABET.charCodeAt(i)] = i;

  function fromBase85(text) {
    const groups = Math.ceil(text.length / 5), short = groups * 5 - text.length;
    const out = new Uint8Array(groups * 4);
    for (let g = 0, at = 0; g < groups; g++) {
      let n = 0;
      for (let k = 0; k < 5; k++, at++) n = n * 85 + (at < text.length ? VALUE[text.charCodeAt(at)] : 84);
      out[4 * g] = n >>> 24; out[4 * g + 1] = n >>> 16; out[4 * g + 2] = n >>> 8; out[4 * g + 3] = n;
    }
    return out.subarray(0, groups * 4 - short);
  }

  // Of a text, or of one that is still on its way.
  async function bytes(text) {
    const inflated = new Blob([fromBase85(await text)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(inflated).arrayBuffer());
  }

  function uint16(data) {
    const n = data.length / 2, out = new Uint16Array(n);
    for (let i = 0; i < n; i++) out[i] = (data[i] << 8) | data[n + i];
    return out;
  }

  // Depth in steps: bits of what is known, then what is left after predicting from left, above, above right.
  function steps(data, width, height) {
    const out = new Uint16Array(width * height), bits = (width * height + 7) >> 3, known = (data.length - bits) / 2;
    let above = new Int32Array(width), line = new Int32Array(width), next = bits;
    for (let row = 0, i = 0; row < height; row++) {
      let left = 0;
      for (let col = 0; col < width; col++, i++) {
        if (data[i >> 3] & (128 >> (i & 7))) {
          const a = above[col], b = above[col + 1 < width ? col + 1 : col];
          const predicted = Math.max(Math.min(left, a), Math.min(Math.max(left, a), b));
          const code = (data[next] << 8) | data[next + known];
          next++;
          left = (predicted + ((code >> 1) ^ -(code & 1))) & 0xffff;
          out[i] = left;
        }
        line[col] = left;
      }
      [above, line] = [line, above];
    }
    return out;
  }

  return { bytes, uint16, steps };
})();

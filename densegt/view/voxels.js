// Occupied voxels of a keyframe as one mesh of the faces that nothing hides, shaded by the side they look to.
"use strict";
function voxelsView(root, legend) {
  const SIDES = [[1, 0, 0, 0.8], [-1, 0, 0, 0.8], [0, 1, 0, 0.66], [0, -1, 0, 0.66], [0, 0, 1, 1], [0, 0, -1, 0.5]];
  const cache = new Map();
  let mesh = null, shown = null;

  async function decode(about, read) {
    if (cache.has(about.part)) return cache.get(about.part);
    const part = async (name) => codec.bytes(read(`${about.part}-${name}`));
    const out = faces(about, codec.uint16(await part("at")));
    [out.code, out.confidence] = [await part("code"), await part("confidence")];
    cache.set(about.part, out);
    if (cache.size > 8) cache.delete(cache.keys().next().value);
    return out;
  }

  // Corners of the open faces, and which voxel and side each face is of.
  function faces(about, at) {
    const n = about.count, [X, Y, Z] = about.shape, there = new Uint8Array(X * Y * Z), s = about.voxel_m, low = about.low;
    const index = (x, y, z) => (x * Y + y) * Z + z;
    for (let i = 0; i < n; i++) there[index(at[i], at[n + i], at[2 * n + i])] = 1;
    const voxel = [], side = [], xyz = [];
    for (let i = 0; i < n; i++) {
      const p = [at[i], at[n + i], at[2 * n + i]];
      SIDES.forEach(([dx, dy, dz], k) => {
        const [x, y, z] = [p[0] + dx, p[1] + dy, p[2] + dz];
        if (x >= 0 && y >= 0 && z >= 0 && x < X && y < Y && z < Z && there[index(x, y, z)]) return;
        voxel.push(i);
        side.push(k);
        const axis = k >> 1, a = (axis + 1) % 3, b = (axis + 2) % 3;
        for (const [u, v] of k & 1 ? [[0, 0], [0, 1], [1, 1], [1, 0]] : [[0, 0], [1, 0], [1, 1], [0, 1]]) {
          const c = [...p];
          c[axis] += 1 - (k & 1);
          c[a] += u;
          c[b] += v;
          for (let j = 0; j < 3; j++) xyz.push(low[j] + s * c[j]);
        }
      });
    }
    const corners = new Uint32Array(6 * voxel.length);
    for (let f = 0; f < voxel.length; f++) corners.set([0, 1, 2, 0, 2, 3].map((c) => 4 * f + c), 6 * f);
    const height = Float32Array.from({ length: n }, (_, i) => low[2] + s * (at[2 * n + i] + 0.5));
    return { xyz: new Float32Array(xyz), corners, voxel, side, height };
  }

  const colours = {
    class: (of, i) => legend.voxels[of.code[i]].colour,
    confidence: (of, i) => legend.confidence.colours[of.confidence[i]],
    height: (of, i) => { const h = Math.min(Math.max((of.height[i] + 1) / 6, 0), 1); return [40 + 215 * h, 110 + 90 * h, 220 - 170 * h]; },
  };

  function remove() {
    if (!mesh) return;
    root.remove(mesh);
    mesh.geometry.dispose();
    mesh.material.dispose();
    mesh = shown = null;
  }

  // by: class | height | confidence, or nothing to show none.
  async function show(about, by, read) {
    const wanted = about && by ? `${about.part}/${by}` : null;
    if (wanted === shown) return about && by ? about.count : 0;
    if (!wanted) { remove(); return 0; }
    const of = await decode(about, read);
    const rgb = new Uint8Array(4 * 3 * of.voxel.length);
    of.voxel.forEach((i, f) => {
      const colour = colours[by](of, i).map((c) => c * SIDES[of.side[f]][3]);
      for (let c = 0; c < 4; c++) rgb.set(colour, 12 * f + 3 * c);
    });
    remove();
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(of.xyz, 3));
    geometry.setAttribute("color", new THREE.BufferAttribute(rgb, 3, true));
    geometry.setIndex(new THREE.BufferAttribute(of.corners, 1));
    mesh = new THREE.Mesh(geometry, new THREE.MeshBasicMaterial({ vertexColors: true }));
    mesh.frustumCulled = mesh.matrixAutoUpdate = false;
    mesh.matrix.fromArray(about.pose);
    root.add(mesh);
    shown = wanted;
    return about.count;
  }

  // Words and colours of the classes of some keyframes.
  function keyOf(keyframes) {
    const codes = new Set(keyframes.flatMap((k) => (k ? k.codes : [])));
    return [...codes].sort((a, b) => a - b).map((c) => legend.voxels[c]);
  }
  return { show, remove, keyOf };
}

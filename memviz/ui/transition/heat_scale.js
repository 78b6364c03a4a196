// The colors of a heat map, from little to much.

const LIGHT = ['#eef2f7', '#8fb0e0', '#173f8a'];
const DARK = ['#1d2636', '#3f6fb8', '#cfe0ff'];

/** @param {{ dark: boolean }} palette */
export function heatScale({ dark }) {
  return (dark ? DARK : LIGHT).map((color, i) => [i / 2, color]);
}

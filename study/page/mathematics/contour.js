// Contour lines and regions above a level of a function on a grid.
//
// Between the points of the grid the function is taken as linear along each side of a cell (the
// marching squares of Lorensen and Cline's marching cubes, 1987, in two dimensions).
//
//   values   row after row, `columns` to a row
//   place    (column, row), fractions too -> [x, y] in the picture
// Lines and regions are returned as SVG path data.

export function lineAt(values, columns, level, place) {
  const points = new Map(); // by the side of a cell that the line crosses there
  const next = new Map(); // the sides that the line goes on to, two or, at an end, one
  const join = (from, to) => next.set(from, [...(next.get(from) ?? []), to]);
  eachCell(values, columns, level, (column, row, corners) => {
    const crossings = crossed(corners, level);
    const sides = crossings.map(({ side, at: [x, y] }) => {
      const name = sideOf(columns, column, row, side);
      points.set(name, [column + x, row + y]);
      return name;
    });
    for (let k = 0; k + 1 < sides.length; k += 2) {
      join(sides[k], sides[k + 1]);
      join(sides[k + 1], sides[k]);
    }
  });
  // Open lines first; the rest are closed ones.
  const order = [...next.keys()].sort((a, b) => next.get(a).length - next.get(b).length);
  const done = new Set();
  let all = "";
  for (const side of order) if (!done.has(side)) all += words(walked(side, next, done), points, place);
  return all;
}

// The same line as separate segments, [column, row, column, row], for drawing all at once.
export function piecesAt(values, columns, level) {
  const pieces = [];
  eachCell(values, columns, level, (column, row, corners) => {
    const crossings = crossed(corners, level);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const [[x1, y1], [x2, y2]] = [crossings[k].at, crossings[k + 1].at];
      pieces.push([column + x1, row + y1, column + x2, row + y2]);
    }
  });
  return pieces;
}

// Follow a line, each side once; a closed line returns to its start.
function walked(start, next, done) {
  const sides = [];
  for (let side = start; side !== undefined; side = next.get(side).find((of) => !done.has(of))) {
    sides.push(side);
    done.add(side);
  }
  return next.get(sides.at(-1)).includes(start) && sides.length > 2 ? [...sides, start] : sides;
}

const words = (sides, points, place) => `M${sides.map((side) => placed(points.get(side), place)).join("L")}`;

// A key for a side of a cell, the same from both cells that share it.
function sideOf(columns, column, row, side) {
  const at = (c, r, isUpright) => 2 * (r * columns + c) + isUpright;
  return [at(column, row, 0), at(column + 1, row, 1), at(column, row + 1, 0), at(column, row, 1)][side];
}

// The region above a level. Adjacent cells that are entirely above become one rectangle; in a saddle both parts
// above are joined.
export function regionAbove(values, columns, level, place) {
  let words = "";
  let run = null;
  const close = () => {
    if (run)
      words += polygon([[run.from, run.row], [run.to, run.row], [run.to, run.row + 1], [run.from, run.row + 1]], place);
    run = null;
  };
  const rows = values.length / columns;
  for (let row = 0; row < rows - 1; row += 1) {
    for (let column = 0; column < columns - 1; column += 1) {
      const above = countAbove(values, columns, column, row, level);
      if (above === 4) {
        run ??= { from: column, row };
        run.to = column + 1;
        continue;
      }
      close();
      if (above > 0 && cornersOf(values, columns, column, row).every(Number.isFinite))
        words += polygon(
          partAbove(cornersOf(values, columns, column, row), level).map(([x, y]) => [column + x, row + y]),
          place,
        );
    }
    close();
  }
  return words;
}

// Around a cell, from the first corner on.
const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1]];

const cornersOf = (values, columns, column, row) => {
  const at = row * columns + column;
  return [values[at], values[at + 1], values[at + columns + 1], values[at + columns]];
};

// How many corners of a cell are at or above the level.
function countAbove(values, columns, column, row, level) {
  const at = row * columns + column;
  const upper = (values[at] >= level) + (values[at + 1] >= level);
  return upper + (values[at + columns] >= level) + (values[at + columns + 1] >= level);
}

// Most cells are not crossed: skip them without allocating a list.
function eachCell(values, columns, level, visit) {
  const rows = values.length / columns;
  for (let row = 0; row < rows - 1; row += 1) {
    for (let column = 0, at = row * columns; column < columns - 1; column += 1, at += 1) {
      const isAbove = values[at] >= level;
      const isSame =
        values[at + 1] >= level === isAbove &&
        values[at + columns] >= level === isAbove &&
        values[at + columns + 1] >= level === isAbove;
      if (isSame) continue;
      const corners = cornersOf(values, columns, column, row);
      if (corners.every(Number.isFinite)) visit(column, row, corners);
    }
  }
}

// Where a side of a cell meets the level.
function between(corners, k, level) {
  const [from, to] = [corners[k], corners[(k + 1) % 4]];
  const part = (level - from) / (to - from);
  const [[x1, y1], [x2, y2]] = [CORNERS[k], CORNERS[(k + 1) % 4]];
  return [x1 + (x2 - x1) * part, y1 + (y2 - y1) * part];
}

// The crossings of the four sides, those of one line next to each other.
//
// Of a saddle, where all four sides are crossed, the value in the middle says which belong together.
function crossed(corners, level) {
  const isAbove = corners.map((value) => value >= level);
  const sides = [0, 1, 2, 3].filter((k) => isAbove[k] !== isAbove[(k + 1) % 4]);
  const points = sides.map((side) => ({ side, at: between(corners, side, level) }));
  if (points.length < 4) return points;
  const middle = corners.reduce((sum, value) => sum + value, 0) / 4 >= level;
  return middle === isAbove[0] ? points : [points[3], points[0], points[1], points[2]];
}

// The part of a cell at or above the level, around it.
function partAbove(corners, level) {
  const points = [];
  for (let k = 0; k < 4; k += 1) {
    const [from, to] = [corners[k] >= level, corners[(k + 1) % 4] >= level];
    if (from) points.push(CORNERS[k]);
    if (from !== to) points.push(between(corners, k, level));
  }
  return points;
}

const placed = (point, place) =>
  place(...point)
    .map((of) => of.toFixed(1))
    .join(" ");

const polygon = (points, place) => `M${points.map((point) => placed(point, place)).join("L")}Z`;

import type { Picture } from './picture.ts';

/** A part of a picture, or its size. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Cuts `box` out of a picture. */
export function crop({ width, values }: Picture, box: Box): Picture {
  const rows = Array.from({ length: box.height }, (_, y) => {
    const start = (box.top + y) * width + box.left;
    return values.subarray(start, start + box.width);
  });
  const out = new Float32Array(box.width * box.height);
  for (const [y, row] of rows.entries()) out.set(row, y * box.width);
  return { width: box.width, height: box.height, values: out };
}

/** Resizes by area averaging: each new pixel is the mean of the part of the picture that it covers. */
export function resize(picture: Picture, size: { readonly width: number; readonly height: number }): Picture {
  return transpose(resizeRows(transpose(resizeRows(picture, size.width)), size.height));
}

function resizeRows({ width, height, values }: Picture, newWidth: number): Picture {
  const out = new Float32Array(newWidth * height);
  const scale = width / newWidth;
  for (let x = 0; x < newWidth; x += 1) {
    const [from, to] = [x * scale, (x + 1) * scale];
    for (let column = Math.floor(from); column < Math.min(width, Math.ceil(to)); column += 1) {
      const share = (Math.min(to, column + 1) - Math.max(from, column)) / scale;
      for (let y = 0; y < height; y += 1) {
        out[y * newWidth + x]! += share * (values[y * width + column] as number);
      }
    }
  }
  return { width: newWidth, height, values: out };
}

function transpose({ width, height, values }: Picture): Picture {
  const turned = values.map((_, i) => values[(i % height) * width + Math.floor(i / height)] as number);
  return { width: height, height: width, values: turned };
}

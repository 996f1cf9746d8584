#!/usr/bin/env python3
"""Makes the golden figures and files beside it with OpenCV, or times OpenCV. See README.md."""

import json
import os
import sys
import time

import cv2
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = os.path.join(HERE, "files")


def measure(bgr, laplacian_depth=cv2.CV_64F):
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    hue, saturation, value = cv2.split(cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV))
    pixels = grey.size
    hue_std = float(cv2.meanStdDev(hue)[1][0, 0])
    threshold, bright = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    figures = {
        "width": grey.shape[1],
        "height": grey.shape[0],
        "hue_std": hue_std,
        "color_uniformity": max(0.0, 1 - hue_std / 90),
        "mean_saturation": cv2.mean(saturation)[0],
        "mean_brightness": cv2.mean(value)[0],
        "otsu_threshold": int(threshold),
        "coverage": cv2.countNonZero(bright) / pixels,
        "edge_density": cv2.countNonZero(cv2.Canny(grey, 50, 150)) / pixels,
        "laplacian_variance": float(cv2.meanStdDev(cv2.Laplacian(grey, laplacian_depth))[1][0, 0]) ** 2,
    }
    f = figures
    f["smoothness"] = max(0.0, 1 - f["laplacian_variance"] / 5000)
    f["cvi"] = (0.30 * f["color_uniformity"] + 0.25 * f["mean_saturation"] / 255
                + 0.25 * f["smoothness"] + 0.20 * (1 - f["edge_density"]))
    f["cqi"] = (0.35 * f["coverage"] + 0.25 * f["color_uniformity"]
                + 0.25 * f["smoothness"] + 0.15 * f["mean_brightness"] / 255)
    return figures


def fingerprint(bgr):
    """FNV-1a with 64 bits over the RGB bytes."""
    number = 0xCBF29CE484222325
    for byte in cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).tobytes():
        number = (number ^ byte) * 0x100000001B3 % 2**64
    return f"{number:016x}"


def write_files(panel):
    """Small pictures in every kind of file that is to be read."""
    from PIL import Image

    os.makedirs(FILES, exist_ok=True)
    path = lambda name: os.path.join(FILES, name)
    rgb = Image.fromarray(cv2.cvtColor(panel, cv2.COLOR_BGR2RGB))
    small = rgb.crop((20, 30, 117, 95))
    tiny = rgb.crop((100, 60, 141, 85))
    alpha = Image.fromarray((np.indices((small.height, small.width)).sum(0) % 256).astype(np.uint8))
    clear = small.copy()
    clear.putalpha(alpha)

    for name, options in {
        "baseline_420": dict(quality=85, subsampling="4:2:0"),
        "baseline_422": dict(quality=85, subsampling="4:2:2"),
        "baseline_444": dict(quality=85, subsampling="4:4:4"),
        "progressive": dict(quality=85, subsampling="4:2:0", progressive=True),
        "restarts": dict(quality=85, subsampling="4:2:0", restart_marker_rows=1),
        "rgb_inside": dict(quality=85, keep_rgb=True),
    }.items():
        small.save(path(name + ".jpg"), **options)
    small.convert("L").save(path("grey.jpg"), quality=85)
    small.convert("L").save(path("grey_progressive.jpg"), quality=85, progressive=True)
    small.convert("CMYK").save(path("cmyk.jpg"), quality=90)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        tiny.save(path(f"orientation_{orientation}.jpg"), quality=90, subsampling="4:4:4", exif=exif)

    exif = Image.Exif()
    exif[0x0112] = 6
    small.save(path("rgb.png"))
    clear.save(path("rgba.png"))
    small.convert("L").save(path("grey.png"))
    clear.convert("LA").save(path("grey_alpha.png"))
    small.convert("1").save(path("one_bit.png"))
    small.quantize(16).save(path("palette_16.png"), bits=4)
    small.quantize(200).save(path("palette_200.png"), transparency=3)
    tiny.save(path("turned.png"), exif=exif)
    deep = np.asarray(small, np.uint16)[..., ::-1] * 257 - np.arange(small.width, dtype=np.uint16)[None, :, None] % 200
    cv2.imwrite(path("rgb_16_bit.png"), deep)
    cv2.imwrite(path("grey_16_bit.png"), deep[..., 1])
    cv2.imwrite(path("rgba_16_bit.png"), np.dstack([deep, deep[..., 0]]))

    small.save(path("lossy.webp"), quality=85)
    small.save(path("lossless.webp"), lossless=True)
    clear.save(path("lossy_alpha.webp"), quality=85)
    clear.save(path("lossless_alpha.webp"), lossless=True, exact=True)
    tiny.save(path("turned.webp"), lossless=True, exif=exif)
    frames = [tiny, tiny.transpose(Image.Transpose.FLIP_LEFT_RIGHT), tiny.rotate(180)]
    frames[0].save(path("animated.webp"), save_all=True, append_images=frames[1:], duration=80, lossless=True)


def make(pictures_folder):
    read = lambda path: cv2.imread(path, cv2.IMREAD_COLOR)
    names = sorted(name for name in os.listdir(pictures_folder) if name.endswith(".ppm"))
    drawn = {name[:-4]: measure(read(os.path.join(pictures_folder, name))) for name in names}
    write_files(read(os.path.join(pictures_folder, "panel.ppm")))
    files = {}
    for name in sorted(os.listdir(FILES)):
        pixels = read(os.path.join(FILES, name))
        means = [round(mean, 4) for mean in cv2.mean(pixels)[2::-1]]
        files[name] = {**measure(pixels), "mean_rgb": means, "fingerprint": fingerprint(pixels)}
    with open(os.path.join(HERE, "reference.json"), "w", encoding="utf-8") as out:
        json.dump({"opencv": cv2.__version__, "drawn": drawn, "files": files}, out, indent=1)
        out.write("\n")


def timed(runs, path):
    """One line a run: milliseconds of decoding, measuring, and measuring with a 16-bit Laplacian."""
    cv2.setNumThreads(1)
    for _ in range(runs):
        start = time.perf_counter()
        pixels = cv2.imread(path, cv2.IMREAD_COLOR)
        decoded = time.perf_counter()
        measure(pixels)
        measured = time.perf_counter()
        measure(pixels, cv2.CV_16S)
        end = time.perf_counter()
        print(*(f"{1000 * seconds:.4f}" for seconds in (decoded - start, measured - decoded, end - measured)))


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "time":
        timed(int(sys.argv[2]), sys.argv[3])
    elif len(sys.argv) == 3 and sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        sys.exit("usage: make.py make FOLDER_OF_PPM | make.py time RUNS FILE")

# SPDX-License-Identifier: Apache-2.0
"""The cache: Debian's kernel, its modules, and the initramfs that boots a lab machine."""

import contextlib
import fcntl
import glob
import hashlib
import lzma
import os
import shutil
import signal
import subprocess
import tempfile

from host.errors import LabError

GUEST = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "guest")

# What the initramfs loads, and what it loads on machines with a network card.
BOOT_MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console"]
NET_MODULES = ["virtio_net"]
APPLETS = ["sh", "cat", "cp", "insmod", "ip", "ln", "mkdir", "mknod", "mount", "switch_root", "umount"]

# Drivers of hardware that no lab machine has: most of the package.
UNWANTED = ["sound"] + ["drivers/" + d for d in (
    "accessibility", "ata", "bluetooth", "gpu", "hid", "hwmon", "i2c", "iio", "infiniband", "input",
    "isdn", "leds", "media", "message", "mfd", "mmc", "mtd", "net/ethernet", "net/wireless", "nfc",
    "platform", "power", "scsi", "spi", "staging", "thunderbolt", "usb", "video")]

PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "modprobe": "kmod",
    "depmod": "kmod",
    "dpkg-deb": "dpkg",
    "apt-get": "apt",
    "apt-cache": "apt",
    "cc": "gcc and libc6-dev",
}


def find_program(name):
    # Users' paths often lack the folders of the administrator's programs.
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin")
    if not found:
        raise LabError(f"the program {name} is missing: install the Debian package {PROGRAMS[name]}")
    return found


def cache_folder():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.abspath(os.environ.get("DISTEM_LAB_CACHE") or os.path.join(home, "distem-lab"))


def command(what, *args, **options):
    """Runs a program; what it printed is shown only when it fails."""
    with subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace",
                          env=dict(os.environ, LC_ALL="C"), start_new_session=True,
                          **options) as child:
        try:
            printed = child.communicate()[0]
        except BaseException:
            # With the programs that it started itself: they would go on writing.
            os.killpg(child.pid, signal.SIGKILL)
            raise
    if child.returncode:
        raise LabError(f"{what}: {os.path.basename(args[0])} ended with status {child.returncode}:\n"
                       + printed.strip())
    return printed


def recipe_hash():
    """Changes with everything that makes the boot files, the kernel excepted."""
    digest = hashlib.sha256()
    for path in sorted(glob.glob(os.path.join(GUEST, "*"))) + [os.path.abspath(__file__)]:
        with open(path, "rb") as f:
            digest.update(f.read())
    with open(os.path.realpath(find_program("busybox")), "rb") as f:
        digest.update(f.read())
    return digest.hexdigest()[:16]


def kernel_package():
    """The package to fetch, as (name, version): the one behind a meta package, if it is one."""
    name = os.environ.get("DISTEM_LAB_KERNEL") or "linux-image-amd64"
    for _ in range(3):
        shown = subprocess.run([find_program("apt-cache"), "show", "--no-all-versions", name],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, check=False).stdout
        fields = dict(line.split(": ", 1) for line in shown.splitlines() if ": " in line[1:])
        if "Version" not in fields:
            raise LabError(f"apt knows no package {name}: run 'apt-get update' with Debian's own "
                           "archive configured, or set DISTEM_LAB_KERNEL to a kernel package that "
                           "'apt-cache policy' shows")
        deeper = [d.split()[0] for d in fields.get("Depends", "").split(", ")
                  if d.startswith("linux-image-")]
        if not deeper:
            return name, fields["Version"]
        name = deeper[0]
    raise LabError(f"{name} is not a kernel package")


@contextlib.contextmanager
def built_aside(target):
    """Yields a folder that becomes target, whole, if the block ends well, else vanishes."""
    aside = tempfile.mkdtemp(prefix="tmp-", dir=os.path.dirname(target))
    try:
        yield aside
        os.chmod(aside, 0o755)
        shutil.rmtree(target, ignore_errors=True)
        os.rename(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def extract_vmlinux(bzimage, target):
    """Unpacks the kernel: doing that in the emulated machine would double its boot time."""
    with open(bzimage, "rb") as f:
        image = f.read()
    start = image.find(b"\xfd7zXZ\x00")
    if start < 0:
        shutil.copyfile(bzimage, target)
        return
    with open(target, "wb") as f:
        f.write(lzma.LZMADecompressor().decompress(image[start:]))


def fetch_kernel(name, target):
    with built_aside(target) as aside:
        command(f"the package {name} cannot be fetched (is the network there, and are apt's lists "
                "up to date?)", find_program("apt-get"), "download", name, cwd=aside)
        deb = glob.glob(os.path.join(aside, "*.deb"))[0]
        tree = os.path.join(aside, "tree")
        command(f"{name} cannot be unpacked", find_program("dpkg-deb"), "-x", deb, tree)
        os.unlink(deb)
        modules = glob.glob(os.path.join(tree, "lib/modules/*"))
        image = glob.glob(os.path.join(tree, "boot/vmlinuz-*"))
        if len(modules) != 1 or len(image) != 1:
            raise LabError(f"the package {name} does not hold one kernel with its modules")
        release = os.path.basename(modules[0])
        for folder in UNWANTED:
            shutil.rmtree(os.path.join(modules[0], "kernel", folder), ignore_errors=True)
        command("the modules cannot be indexed", find_program("depmod"), "-b", tree, release)
        extract_vmlinux(image[0], os.path.join(aside, "vmlinux"))
        os.rename(os.path.join(tree, "lib/modules"), os.path.join(aside, "modules"))
        shutil.rmtree(tree)
        with open(os.path.join(aside, "release"), "w", encoding="ascii") as f:
            f.write(release + "\n")


def module_files(kernel, release, names):
    """The files to load for these modules, each one's needs before it, nothing twice."""
    files = []
    with tempfile.TemporaryDirectory(prefix="distem-lab.") as base:
        os.mkdir(os.path.join(base, "lib"))
        os.symlink(os.path.join(kernel, "modules"), os.path.join(base, "lib/modules"))
        for name in names:
            shown = command(f"the kernel has no module {name}", find_program("modprobe"), "-d", base,
                            "-S", release, "--show-depends", name)
            for line in shown.splitlines():
                words = line.split()
                if words[0] != "insmod":
                    continue
                path = os.path.realpath(words[1])
                if path not in files:
                    files.append(path)
    return files


def build_initramfs(kernel, target):
    with open(os.path.join(kernel, "release"), encoding="ascii") as f:
        release = f.read().strip()
    with built_aside(target) as aside:
        root = os.path.join(aside, "root")
        for folder in ("bin", "dev", "proc", "sys", "modules"):
            os.makedirs(os.path.join(root, folder))
        shutil.copy(os.path.realpath(find_program("busybox")), os.path.join(root, "bin/busybox"))
        for applet in APPLETS:
            os.symlink("busybox", os.path.join(root, "bin", applet))
        shutil.copy(os.path.join(GUEST, "init"), os.path.join(root, "init"))
        os.chmod(os.path.join(root, "init"), 0o755)
        command("the agent cannot be compiled (it needs the Debian packages gcc and libc6-dev)",
                find_program("cc"), "-static", "-O2", "-o", os.path.join(root, "agent"),
                os.path.join(GUEST, "agent.c"))
        boot = module_files(kernel, release, BOOT_MODULES)
        net = [f for f in module_files(kernel, release, NET_MODULES) if f not in boot]
        for name, files in (("boot.list", boot), ("net.list", net)):
            with open(os.path.join(root, "modules", name), "w", encoding="ascii") as f:
                for path in files:
                    shutil.copy(path, os.path.join(root, "modules"))
                    f.write(os.path.basename(path) + "\n")
        names = [os.path.relpath(os.path.join(d, n), root)
                 for d, folders, files in os.walk(root) for n in folders + files]
        with open(os.path.join(aside, "initramfs"), "wb") as out:
            subprocess.run([find_program("cpio"), "--quiet", "-o", "-H", "newc", "-R", "0:0"],
                           input="".join(n + "\n" for n in sorted(names)).encode(), stdout=out,
                           cwd=root, check=True)
        shutil.rmtree(root)
        os.symlink(os.path.join("..", os.path.basename(kernel)), os.path.join(aside, "kernel"))


def ready(boot):
    return all(os.path.exists(os.path.join(boot, n))
               for n in ("initramfs", "kernel/vmlinux", "kernel/modules", "kernel/release"))


def prepare(say, newest=True):
    """Returns the folder of boot files, made first if need be.

    With newest the kernel is the one that apt's lists name now; else any that is there will do.
    """
    for name in ("qemu-system-x86_64", "busybox", "cpio", "modprobe"):
        find_program(name)
    cache = cache_folder()
    recipe = recipe_hash()
    current = os.path.join(cache, "current")
    asked = os.environ.get("DISTEM_LAB_KERNEL", "")
    try:
        state = os.readlink(current)
    except OSError:
        state = ""
    if not newest and not asked and state.endswith("-" + recipe) and ready(current):
        return os.path.realpath(current)

    try:
        os.makedirs(cache, exist_ok=True)
        lock = open(os.path.join(cache, "lock"), "w", encoding="ascii")
    except OSError as e:
        raise LabError(f"the cache folder {cache} cannot be written ({e.strerror}): set "
                       "DISTEM_LAB_CACHE to one that can") from e
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in glob.glob(os.path.join(cache, "tmp-*")):
            shutil.rmtree(leftover, ignore_errors=True)
        # A new recipe needs no new kernel.
        kernel = os.path.realpath(os.path.join(current, "kernel"))
        if newest or asked or not os.path.exists(os.path.join(kernel, "vmlinux")):
            name, version = kernel_package()
            kernel = os.path.join(cache, f"{name}_{version.replace(':', '.')}")
            if not os.path.exists(os.path.join(kernel, "vmlinux")):
                say(f"fetching {name} {version}")
                fetch_kernel(name, kernel)
        boot = os.path.join(cache, f"boot-{os.path.basename(kernel)}-{recipe}")
        if not ready(boot):
            say("building the initramfs")
            build_initramfs(kernel, boot)
        if not asked:
            link = os.path.join(cache, "tmp-current")
            with contextlib.suppress(FileNotFoundError):
                os.unlink(link)
            os.symlink(os.path.basename(boot), link)
            os.rename(link, current)
    return boot

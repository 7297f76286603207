"""Makes a tree of files of every kind (`make DIR`), or describes one (`describe DIR`): what a restore must bring back."""
import hashlib
import os
import stat
import sys

command, root = sys.argv[1:3]


def path(*parts):
    return os.path.join(root, *parts)


def write(name, content=b"x", mode=0o644, owner=(0, 0)):
    with open(path(name), "wb") as file:
        file.write(content)
    os.chown(path(name), *owner)
    os.chmod(path(name), mode)


def make():
    os.makedirs(path("deep", "er", "empty"))
    os.chmod(path("deep"), 0o2770)
    os.chown(path("deep"), 70, 71)
    write("plain")
    write("private", mode=0o600, owner=(999, 999))
    write("setuid", mode=0o4755, owner=(1000, 1000))
    write("ungeladen äöü \n newline")
    write("empty", b"")
    os.link(path("plain"), path("deep", "hard"))
    os.symlink("../plain", path("deep", "soft"))
    os.symlink("nowhere", path("dangling"))
    os.setxattr(path("plain"), "user.note", b"kept \x00 bytes")
    os.mkfifo(path("fifo"), 0o640)
    with open(path("sparse"), "wb") as file:
        file.truncate(64 * 1024 * 1024)
        file.seek(32 * 1024 * 1024)
        file.write(b"island")
    os.utime(path("plain"), ns=(1_000_000_000_123_456_789, 1_500_000_000_987_654_321))
    os.utime(path("deep"), ns=(1, 1_400_000_000_000_000_000))


def describe():
    found = []
    inodes = {}
    for folder, folders, files in os.walk(root):
        for name in sorted(folders + files):
            full = os.path.join(folder, name)
            relative = os.path.relpath(full, root)
            s = os.lstat(full)
            facts = [repr(relative), oct(s.st_mode), f"{s.st_uid}:{s.st_gid}"]
            if stat.S_ISLNK(s.st_mode):
                facts.append("-> " + os.readlink(full))
            else:
                facts.append(str(s.st_mtime_ns))
                facts += [f"{a}={os.getxattr(full, a)!r}" for a in sorted(os.listxattr(full))]
            if stat.S_ISREG(s.st_mode):
                same = inodes.setdefault(s.st_ino, relative)
                facts += [f"links={s.st_nlink}", f"same as {min(same, relative)!r}" if s.st_nlink > 1 else ""]
                with open(full, "rb") as file:
                    facts.append(hashlib.sha256(file.read()).hexdigest())
                # A hole takes no blocks; how many the rest takes is the file system's affair.
                facts.append("has holes" if s.st_blocks * 512 < s.st_size // 2 else "")
            found.append(" ".join(facts))
    print("\n".join(sorted(found)))


make() if command == "make" else describe()

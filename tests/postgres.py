"""A private PostgreSQL server for tests: in a folder of its own, reached by a socket there alone.

    postgres.py start FOLDER    makes it anew and starts it; prints its URL
    postgres.py stop FOLDER     stops it and removes the folder
    postgres.py url FOLDER      prints its URL; nothing when there is none
    postgres.py run FOLDER COMMAND...   runs a command that has its stores there

PostgreSQL does not run as root, so root starts it as the user postgres, who comes with the package.
Where PostgreSQL is not installed, start says so, exits 0 and makes nothing: the tests then skip.
"""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/bin")]
# The socket's path has room for 107 bytes.
CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 60
shared_buffers = 64MB
max_wal_size = 512MB
logging_collector = off
"""


def programs():
    """The folder of the server's programs, or None."""
    for folder in PROGRAMS:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    return None


def unprivileged():
    """What runs a command as somebody who is not root."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def url(folder, database="postgres"):
    return f"postgresql:///{database}?host={folder}&user=trialward"


def run(folder, *command):
    done = subprocess.run([*unprivileged(), *map(str, command)], cwd="/", capture_output=True,
                          text=True)
    if done.returncode != 0:
        log = folder / "log"
        told = log.read_text() if log.exists() else ""
        sys.exit(f"{command}: {done.stdout}{done.stderr}{told}")


def start(folder, configuration=""):
    """`configuration`: lines that are added to postgresql.conf."""
    found = programs()
    if found is None:
        print("PostgreSQL is not installed: its tests are skipped")
        return
    stop(folder)
    folder.mkdir(mode=0o700, parents=True)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    run(folder, found / "initdb", "-D", data, "-U", "trialward", "-A", "trust", "-E", "UTF8",
        "--locale=C.UTF-8", "--no-sync")
    with (data / "postgresql.conf").open("a") as file:
        file.write(CONFIGURATION.format(folder=folder) + configuration)
    run(folder, found / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "start")
    print(url(folder))


def start_standby(folder, primary):
    """A server that follows the one in the folder `primary`, as 'standby'."""
    found = programs()
    stop(folder)
    folder.mkdir(mode=0o700, parents=True)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    run(folder, found / "pg_basebackup", "-h", primary, "-U", "trialward", "-D", data, "-R",
        "--checkpoint=fast", "--no-sync")
    with (data / "postgresql.auto.conf").open("a") as configuration:
        configuration.write(f"primary_conninfo = 'host={primary} user=trialward "
                            f"application_name=standby'\nunix_socket_directories = '{folder}'\n")
    run(folder, found / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "start")


def processes(folder):
    """The server's process and then its sessions', of those that run now."""
    server = (folder / "data/postmaster.pid").read_text().split()[0]
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [int(process) for process in (server, *children)]


def stop(folder):
    data = folder / "data"
    found = programs()
    if found is not None and (data / "postmaster.pid").exists():
        subprocess.run([*unprivileged(), str(found / "pg_ctl"), "-D", str(data), "-m", "immediate",
                        "-w", "stop"], cwd="/", capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


def main():
    verb, folder = sys.argv[1], Path(sys.argv[2])
    if verb == "start":
        start(folder)
    elif verb == "stop":
        stop(folder)
    elif verb == "run":
        there = url(folder) if (folder / "data").exists() else ""
        os.environ.update(TRIALWARD_TEST_STORE="postgres", TRIALWARD_POSTGRES=there)
        os.execvp(sys.argv[3], sys.argv[3:])
    elif (folder / "data").exists():
        print(url(folder))


if __name__ == "__main__":
    main()

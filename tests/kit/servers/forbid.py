"""Runs a command under a seccomp filter that answers some system calls with EPERM.

Usage: forbid.py CALL[,CALL...] COMMAND [ARGUMENT...]
"""

import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"socket": 41, "io_uring_setup": 425},
    "aarch64": {"socket": 198, "io_uring_setup": 425},
}[platform.machine()]

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, DENY = 0x7FFF0000, 0x00050000 | errno.EPERM


def instruction(code, value, if_true=0, if_false=0):
    """One instruction of a classic BPF program."""
    return struct.pack("HBBI", code, if_true, if_false, value)


def program(numbers):
    """Loads the call's number, compares it with each, and allows what is left."""
    code = instruction(LOAD_WORD, 0)
    for number in numbers:
        code += instruction(JUMP_IF_EQUAL, number, 0, 1) + instruction(RETURN, DENY)
    return code + instruction(RETURN, ALLOW)


class Filter(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def forbid(calls):
    """Installs the filter for this process and all it becomes."""
    code = program([NUMBERS[call] for call in calls])
    installed = Filter(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(installed), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")


forbid(sys.argv[1].split(","))
os.execvp(sys.argv[2], sys.argv[2:])

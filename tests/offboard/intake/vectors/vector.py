"""One vector by its name: why it is there, what is dropped, and what each drop must come to."""


def one(name, why, expect, token, **more):
    folder, _, reason = expect.partition(" ")
    return name, {"why": why, **more, "drops": [{"token": token, "folder": folder, "reason": reason or folder}]}


def several(name, why, *drops):
    return name, {
        "why": why,
        "drops": [
            {"token": token, "folder": e.partition(" ")[0], "reason": e.partition(" ")[2] or e} for e, token in drops
        ],
    }


def bad(name, reason, token, why="", **more):
    return one(name, why, f"rejected {reason}", token, **more)

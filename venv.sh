#!/bin/sh
# Makes `.venv` in steps; the Makefile calls it:
#
#   sh venv.sh made PYTHON   the environment itself. It is kept when it is whole, of this folder and still runs
#   sh venv.sh run           what the program needs, from its list of hashes
#   sh venv.sh dev           what its tests need
#
# Rules of this file: a step that is done leaves its stamp, `.venv/.made` and so on, as the last thing it does. While
# pip works `.made` is away, so that whatever was cut short is taken for nothing and made anew. What is missing is one
# sentence in the reader's language, with the command that helps. POSIX sh: Python may be what is missing.
set -u
cd "$(dirname "$0")" || exit 1
here=$(pwd -P)
inside=.venv/bin/python

case ${SHOUMI_LANG:-${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}} in
zh*) chinese=1 ;;
*) chinese= ;;
esac

missing() { # ENGLISH HINT CHINESE HINT: say it, and end
    if [ "$chinese" ]; then printf 'shoumi: %s\n提示：%s\n' "$3" "$4"; else printf 'shoumi: %s\nhint: %s\n' "$1" "$2"; fi >&2
    exit 1
}

whole() { # an upgrade of the system takes the Python away; a copy of the folder runs the code of the first one
    [ "$(cat .venv/.made 2>/dev/null)" = "$here" ] && "$inside" -c 'import pip' 2>/dev/null
}

made() {
    if whole; then return; fi
    python=$1
    "$python" -c '' 2>/dev/null || missing \
        "Python 3.11 or later is needed, and \`$python\` does not run" \
        "apt install python3-venv make    (or name another one: make PYTHON=python3.12 …)" \
        "需要 Python 3.11 以上，而 \`$python\` 无法运行" \
        "apt install python3-venv make    （或另行指定：make PYTHON=python3.12 …）"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || missing \
        "Python 3.11 or later is needed, and \`$python\` is $("$python" -c 'import platform; print(platform.python_version())')" \
        "install a later one beside it, and name it: make PYTHON=python3.11 …" \
        "需要 Python 3.11 以上，而 \`$python\` 是 $("$python" -c 'import platform; print(platform.python_version())')" \
        "请另装较新的版本并指定：make PYTHON=python3.11 …"
    "$python" -c 'import ensurepip, venv' 2>/dev/null || missing \
        "\`$python\` cannot make a virtual environment: Debian packs that part of it by itself" \
        "apt install python3-venv make" \
        "\`$python\` 无法建立虚拟环境：Debian 将该部分单独打包" \
        "apt install python3-venv make"
    if [ -e .venv ] || [ -L .venv ]; then
        if [ "$chinese" ]; then echo '.venv 不完整或不属于此目录，现重新建立'; else echo '.venv is not whole, or not of this folder: made anew'; fi
        rm -rf .venv
    fi
    "$python" -m venv .venv && "$inside" -c 'import pip' || missing \
        "\`.venv\` could not be made; what Python says is above" \
        "apt install python3-venv make" \
        "无法建立 \`.venv\`；原因见上" \
        "apt install python3-venv make"
    printf '%s\n' "$here" >.venv/.made
}

install() { # WORDS OF PIP: it moves the stamp rather than making it, because make goes by its age
    "$inside" -m pip install --quiet --disable-pip-version-check "$@" || missing \
        "pip could not install what is listed; what it says is above" \
        "it needs a package index: a way to pypi.org, or one of your own (pip config set global.index-url URL)" \
        "pip 未能按清单安装；原因见上" \
        "需要软件包索引：可访问 pypi.org，或自备索引（pip config set global.index-url URL）"
}

case ${1:-} in
made) made "${2:-python3}" ;;
run | dev)
    mv .venv/.made .venv/.installing || exit 1
    if [ "$1" = run ]; then
        install --require-hashes -r requirements.lock
        install --no-deps --no-build-isolation -e .
    else
        install --require-hashes -r requirements-dev.lock
    fi
    mv .venv/.installing .venv/.made && touch ".venv/.$1"
    ;;
*)
    echo "usage: sh venv.sh made [PYTHON] | run | dev" >&2
    exit 2
    ;;
esac

#!/usr/bin/env python3
"""Plants one fault after another in a small tree and sees that lint.py finds exactly that one; a
check that cannot fail is no check."""
# SPDX-License-Identifier: MIT
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
HEAD = "/** A file. */\n// SPDX-License-Identifier: MIT\n"
FOLDERS = ("core", "resolver", "devices", "chipsets", "profiles", "schemas", "accel", "tools",
           "tests")

# check, file, its text (None: the file goes away), what is printed
FAULTS = (
    ("layers", "resolver/bad.c", '#include "devices/devices.h"\n',
     "resolver/bad.c:1: resolver may not include devices/"),
    ("layers", "core/bad.c", '#include "resolver/tree.h"\n',
     "core/bad.c:1: core may not include resolver/"),
    ("layers", "core/bad.h", '#include "tests/support/rig.h"\n',
     "core/bad.h:1: core may not include tests/"),
    ("layers", "devices/serial/a.c", HEAD + '#include "devices/serial/b.h"\n',
     "devices/serial/a.c:3: a device may not include its sibling devices/serial/b.h"),
    ("layers", "accel/soft/a.c", '#include "accel/kvm/vcpu.h"\n',
     "accel/soft/a.c:1: accel/soft may not include accel/kvm/"),
    ("layers", "core/machine.c", "#include <yaml.h>\n",
     "core/machine.c:1: libyaml is wrapped elsewhere; not for this file"),
    ("layers", "core/clock.c", "#include <uv.h>\n",
     "core/clock.c:1: libuv is wrapped elsewhere; not for this file"),
    ("layers", "tools/inspect.c", "#include <jansson.h>\n",
     "tools/inspect.c:1: jansson is wrapped elsewhere; not for this file"),
    ("layers", "tools/run.c", '#include "core/loop_internal.h"\n',
     "tools/run.c:1: core/loop_internal.h is private to core"),
    ("layers", "core/near.c", '#include "alloc.h"\n',
     'core/near.c:1: include by the path from the root, not "alloc.h"'),
    ("layers", "chipsets/board.c", "int x;\n", "chipsets/board.c:1: chipsets holds data only"),
    ("banned", "core/a.c", "void f(char *b)\n{\n\tsprintf(b, \"x\");\n}\n",
     "core/a.c:3: sprintf is banned; use snprintf"),
    ("banned", "tools/a.c", "int f(char *b)\n{\n\treturn atoi (b);\n}\n",
     "tools/a.c:3: atoi is banned; use strtoul and a check"),
    ("banned", "core/b.c", "/* strcpy( in a comment */\nchar *f = \"gets(\"; void g(){strcat(0,f);}",
     "core/b.c:2: strcat is banned; use snprintf"),
    ("banned", "devices/serial/m.c", "void *f(void)\n{\n\treturn malloc(4);\n}\n",
     "devices/serial/m.c:3: no malloc in devices; core owns the memory"),
    ("notes", "core/t.c", "/* TODO: later */\n",
     "core/t.c:1: TODO without an issue; write TODO(#12)"),
    ("notes", "tools/script", "# FIXME\n", "tools/script:1: FIXME without an issue"),
    ("house", "core/nameless.c", "// SPDX-License-Identifier: MIT\nint x;\n",
     "core/nameless.c:1: a file opens with one sentence on what it is"),
    ("house", "core/licence.c", "/** A file. */\nint x;\n",
     "core/licence.c:1: no line `// SPDX-License-Identifier: MIT` after the first comment"),
    ("house", "accel/README.md", None, "accel/README.md:1: every folder has a README"),
    ("house", "devices/registry.def", "MW_BUILTIN(my_chip_type)\n",
     "devices/registry.def:1: my_chip has no seed in tests/fuzz/corpus/registers"),
    ("house", "notes.txt", "x\n", "notes.txt:1: does not belong at the top level"),
    ("format", "core/f.c", HEAD + "int  x;\n", "core/f.c:3: not as clang-format 14 writes it"),
    ("headers", "core/h.h", HEAD + "uint32_t f(void);\n",
     "core/h.h:1: does not compile alone with gcc: error: unknown type name"),
    ("tidy", "core/t.c", HEAD + "int f(int *p);\nint f(int *p)\n{\n\tif (p)\n\t\t*p = 1;\n"
     "\treturn sizeof(p) / sizeof(*p) + *p;\n}\n", "core/t.c"),
)


def lint(check, tree):
    build = os.path.join(tree, "build")
    run = subprocess.run([sys.executable, "-B", os.path.join(HERE, "lint.py"), check, "--root",
                          tree, "--build", build], stdout=subprocess.PIPE, text=True, check=False)
    return run.returncode, run.stdout


def plant(tree, path, text):
    full = os.path.join(tree, path)
    if text is None:
        os.remove(full)
        return
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as file:
        file.write(text)


def clean_tree(tree):
    for folder in FOLDERS:
        plant(tree, f"{folder}/README.md", "# x\n\n1\n2\n3\n")
    plant(tree, "core/good.h", HEAD + "#include <stdint.h>\n\nuint32_t f(void);\n")
    plant(tree, "core/good.c", HEAD + '#include "core/good.h"\n\nuint32_t f(void)\n{\n'
          "\treturn 1; /* sprintf( is only a word here; TODO(#2) has its issue */\n}\n")
    for name in (".clang-format", ".clang-tidy"):
        shutil.copy(os.path.join(ROOT, name), tree)
    commands = ",".join(f'{{"directory": "{tree}", "file": "{tree}/core/{name}.c", '
                        f'"command": "cc -I{tree} -c {tree}/core/{name}.c"}}'
                        for name in ("good", "t"))
    plant(tree, "build/compile_commands.json", f"[{commands}]")


def main():
    failed = skipped = 0
    for check in sorted({fault[0] for fault in FAULTS}):
        with tempfile.TemporaryDirectory() as tree:
            clean_tree(tree)
            status, text = lint(check, tree)
            if status == 77:
                print(f"skipped {check}: {text.strip()}")
                skipped += 1
                continue
            if status:
                print(f"FAILED {check}: a clean tree gives\n{text}")
                failed += 1
        for _, path, content, expected in [fault for fault in FAULTS if fault[0] == check]:
            with tempfile.TemporaryDirectory() as tree:
                clean_tree(tree)
                plant(tree, path, content)
                status, text = lint(check, tree)
                if status != 1 or expected not in text or \
                        (check not in ("headers", "tidy") and "\n1 finding(s)" not in text):
                    print(f"FAILED {check}: {path}: expected `{expected}`, status {status}:\n{text}")
                    failed += 1
    print(f"{len(FAULTS)} planted faults, {failed} failure(s), {skipped} check(s) without their tool")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

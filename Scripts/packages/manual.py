"""Writes the manual page: the commands as the executable describes them, within a frame of Config/debian/jobs-proxy.1."""

import re


def page(frame, command, version, date):
    """The page in roff, with the commands, version and date (a `datetime`) in their places of the frame."""
    text = frame.replace("@VERSION@", version).replace("@DATE@", date.strftime("%Y-%m-%d"))
    text = text.replace("@SYNOPSIS@\n", "".join(synopsis(each) for each in leaves(command)))
    text = text.replace("@OVERVIEW@\n", prose(command["abstract"] + "\n" + command["discussion"].split("Examples:")[0]))
    return text.replace("@COMMANDS@\n", "".join(section(each) for each in leaves(command)))


def leaves(command):
    """The commands that do something, in order; `help` says nothing that the page does not."""
    below = [each for each in command.get("subcommands", []) if each["commandName"] != "help"]
    return [leaf for each in below for leaf in leaves(each)] if below else [command]


def words_of(command):
    return [*command.get("superCommands", []), command["commandName"]]


def own_arguments(command):
    """Those that not every command has."""
    return [each for each in command.get("arguments", []) if each["shouldDisplay"] and each["valueName"] not in ("help", "version")]


def synopsis(command):
    line = r"\fB" + escaped(" ".join(words_of(command))) + r"\fR"
    for argument in own_arguments(command):
        text = spelled(argument)
        if argument["isOptional"]:
            text = f"[{text}]"
        line += " " + text + (r"\~.\|.\|." if argument["isRepeating"] else "")
    return f"{line}\n.br\n"


def spelled(argument):
    """An option with its value, or an argument, as it is written."""
    value = r"\fI" + escaped(argument["valueName"]) + r"\fR"
    if argument["kind"] == "positional":
        return value
    name = r"\fB" + escaped("--" + argument["preferredName"]["name"]) + r"\fR"
    return name if argument["kind"] == "flag" else f"{name} {value}"


def section(command):
    """What a command does, its options, and its examples."""
    lines = f".SS {escaped(' '.join(words_of(command)))}\n{prose(command.get('abstract', ''))}"
    described, _, examples = command.get("discussion", "").partition("Example")
    if described.strip():
        lines += ".PP\n" + prose(described)
    for argument in own_arguments(command):
        lines += f".TP\n{spelled(argument)}\n{prose(argument.get('abstract', ''))}"
        if argument.get("allValues"):
            lines += prose("One of " + ", ".join(argument["allValues"]) + ".")
        if argument.get("defaultValue"):
            lines += prose(f"Default: {argument['defaultValue']}.")
    if examples:
        shown = [line for line in examples.splitlines()[1:] if line.strip()]
        lines += ".PP\n.EX\n" + "".join(escaped(line) + "\n" for line in shown) + ".EE\n"
    return lines


def prose(text):
    """Lines of text, one for each; an empty line begins a paragraph."""
    lines = [escaped(line.strip()) for line in text.strip().splitlines()]
    return "".join(f"{line or '.PP'}\n" for line in lines)


def escaped(text):
    """Text that roff prints as it is."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^([.'])", r"\\&\1", text)

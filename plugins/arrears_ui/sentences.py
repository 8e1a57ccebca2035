"""Reasons in 中文: the sentences that the jobs store in English, said again by the template each was made from.

Belongs here: the Chinese twin of every such template, and how figures are found again in a sentence. A sentence that no
template fits, of an older version, stands as it is.
"""

from __future__ import annotations

import re
from functools import cache
from string import Formatter
from typing import TYPE_CHECKING

from arrears.cases.assignment import PASSED_OVER, SENTENCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arrears_ui.words import Words

_DAY = "队列 {case.queue_id}，{case.language}；{required} 分钟，当日 {minutes} 分钟中已用 {used} 分钟"
# By the key of the English template: the same figures in braces.
ASSIGNED = {
    code: f"{text}；催收口径逾期天数 {{case.delinquent_days}}"
    for code, text in {
        "kept_agent": f"仍由 {{agent}} 跟进；{_DAY}",
        "new_agent": f"分给剩余时间最多的 {{agent}}；{_DAY}",
        "reassigned_absent": f"{{case.kept_agent_id}} 未当班，改由 {{agent}} 跟进；{_DAY}",
        "reassigned_stale": f"{{case.kept_agent_id}} 跟进期间未与任何人通话，改由 {{agent}} 跟进；{_DAY}",
        "by_supervisor": f"主管指定 {{agent}} 跟进；{_DAY}",
        "promise": "{owner}：承诺 {due} 到期；队列 {case.queue_id}；此前不再催问",
        "pooled": "在队列 {case.queue_id} 的公共池中，{case.language}；{required} 分钟",
        "no_agent_needed": "队列 {case.queue_id} 的作业方式为 {mode}，无需指定坐席",
        "overflow_bot": "队列 {case.queue_id} 中无人还有 {required} 分钟；今日转 {overflow}",
        "overflow_language": "队列 {case.queue_id} 当班人员中无人会 {case.language}",
        "overflow_capacity": "队列 {case.queue_id} 中会 {case.language} 的人员均无 {required} 分钟",
        "not_staffed": "队列 {case.queue_id} 今日无人当班",
        "held": "暂停：{case.hold_code}；其逾期贷款今日均不得作业",
        "supervisor": "暂停：{case.hold_code}；不用机器也不用坐席，由主管致电",
        "queue_unknown": "分段 {bucket} 属于队列 {case.queue_id}，而数据源未提供该队列",
        "no_queue": "本组合中分段 {bucket} 没有队列",
    }.items()
}
_PASSED_OVER = "；主管指定的 {named} 不在、不得或没有时间处理"
_OWNERS = {"kept with {agent}": "仍由 {agent} 跟进", "with nobody": "无人跟进"}
PLANNED = re.compile(r"(?P<step>[^:;]+): (?P<channels>.+); (?P<days>\d+) delinquent days")
_CHANNEL = {
    "{channel} denied by {rules}, earliest {at}": "{channel}被 {rules} 拦截，最早 {at}",
    "{channel} denied by {rules}": "{channel}被 {rules} 拦截",
    "{channel} {clock}": "{channel} {clock}",
}


def said(sentence: str, words: Words) -> str:
    """The sentence in the reader's language."""
    if words.language == "en":
        return sentence
    return _assigned(sentence, words) or _planned(sentence, words) or sentence


def _assigned(sentence: str, words: Words) -> str:
    """Why a case stands in its queue."""
    passed = re.search(f"{_pattern(PASSED_OVER).pattern}$", sentence)
    tail = _PASSED_OVER.format(**passed.groupdict()) if passed else ""
    head = sentence[: passed.start()] if passed else sentence
    for code, template in SENTENCES.items():
        if found := _pattern(template).fullmatch(head):
            figures = found.groupdict()
            if hold := figures.get("case_hold_code"):
                figures["case_hold_code"] = words.code("hold", hold)
            if owner := figures.get("owner"):
                figures["owner"] = next(_again(owner, _OWNERS), owner)
            return _filled(ASSIGNED[code], figures) + tail
    return ""


def _planned(sentence: str, words: Words) -> str:
    """Why a contact is planned or blocked."""
    found = PLANNED.fullmatch(sentence)
    if found is None:
        return ""
    parts = []
    for part in found["channels"].split("; "):
        channel, _, rest = part.partition(" ")
        parts.append(next(_again(f"{words.code('channel', channel)} {rest}", _CHANNEL), part))
    return f"{found['step']}：{'；'.join(parts)}；催收口径逾期天数 {found['days']}"


def _again(text: str, twins: dict[str, str]) -> Iterator[str]:
    """What each template of ``twins`` that fits says in Chinese."""
    for template, twin in twins.items():
        if found := _pattern(template).fullmatch(text):
            yield _filled(twin, found.groupdict())


def _filled(template: str, figures: dict[str, str]) -> str:
    return template.replace("case.", "case_").format(**figures)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """A template as the pattern of what it gives; no figure holds a semicolon, one that stands twice is the same."""
    pattern, known = "", set()
    for words, name, _, _ in Formatter().parse(template):
        pattern += re.escape(words)
        if name is not None:
            group = name.replace(".", "_")
            pattern += f"(?P={group})" if group in known else f"(?P<{group}>[^;]*?)"
            known.add(group)
    return re.compile(pattern)

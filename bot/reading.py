"""From the rules and stories of a bot's files to the rulebook that its conversations follow."""

from bot.nearest import learn_points
from bot.overlap import overlap
from bot.project import Project
from bot.rulebook import Rulebook, names_in, read_rules
from bot.steps import rule_ways, story_ways
from bot.stories import StoryPolicy, learn_stories, pairs_of
from profiles.findings import Findings


def read_rulebook(project: Project, findings: Findings) -> Rulebook:
    """Return all rules and stories; those that contradict each other are noted as errors."""
    domain, options = project.domain, project.options
    rules = [way for rule in project.rules for way in rule_ways(rule, domain)]
    stories = list(story_ways(project.stories, domain))
    book = read_rules(rules, stories, domain, findings)
    policy = StoryPolicy(not options.remembers_stories, options.max_history, options.forgives)
    book.stories = learn_stories(stories, domain, policy, names_in(book.all))
    overlap(rules, stories, book, domain, findings)
    if options.guesses and stories:
        book.nearest = learn_points(pair for way in stories for pair in pairs_of(way, domain))
    return book

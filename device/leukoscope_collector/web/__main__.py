"""The command `leukoscope-collector web`."""

import argparse
import logging
import sys
from pathlib import Path

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.errors import SettingsError
from leukoscope.web import STRICT, Databases, Site, address_of, listening, new_code, serve, utc_now
from leukoscope_collector.collector_settings import CollectorSettings
from leukoscope_collector.postgres_store import PostgresSettings
from leukoscope_collector.web.central_reports import CentralReports
from leukoscope_collector.web.step_sender import Sender
from leukoscope_collector.web.steps import Steps
from leukoscope_collector.web.word_index import index_words


def main(words: list[str]) -> None:
    """Serve the page over the store until it is asked to stop.

    Raises:
        SettingsError: the settings are wrong, or the address is taken.
        StoreUnavailable: the store cannot be opened.
    """
    parser = argparse.ArgumentParser(
        prog="leukoscope-collector web", description="The review page over the reports of every site in the store."
    )
    parser.add_argument("--settings", type=Path, metavar="FILE.toml", help="the collector's")
    parser.add_argument("--port", type=int, metavar="PORT", help="instead of web.port; 0 takes a free one")
    arguments = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    settings = CollectorSettings.read(arguments.settings)
    page = settings.web if arguments.port is None else settings.web.model_copy(update={"port": arguments.port})
    broker = _operator_of(settings)
    databases = Databases(settings.store.open)
    steps = Steps(databases)
    reports = CentralReports(databases, steps, utc_now)
    site = Site.of("centre", page, STRICT, databases, reports, new_code())
    site.worklist.catch_up()
    if isinstance(settings.store, PostgresSettings):
        index_words(databases)
    sender = Sender(broker, f"leukoscope-web-{settings.name}", settings.topic_root, steps, utc_now)
    with listening(page) as made:
        print(f"The page is at {address_of(page, made)}", flush=True)
        if not site.accounts.any():
            print(f"Code for the first administrator: {site.setup_code}", flush=True)
        sender.start()
        try:
            serve(site, made)
        finally:
            sender.stop()


def _operator_of(settings: CollectorSettings) -> BrokerSettings:
    """The broker over which steps go to devices.

    Raises:
        SettingsError: there is none, or it would know us as a collector, who may not command.
    """
    todo = "say under [operator] where the MQTT broker is, with an operator's certificate (leukoscope-provision)"
    if settings.operator is not None:
        return settings.operator
    if not isinstance(settings.broker, BrokerSettings):
        raise SettingsError("steps go to devices over MQTT", todo)
    if settings.broker.client_cert is not None:
        raise SettingsError("by the certificate of a collector no device can be commanded", todo)
    return settings.broker

eventgate_module(json)
eventgate_module(kafka)
eventgate_module(http USES json)

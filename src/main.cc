// trialward: see cli/command.h.
#include "cli/command.h"

int main(int argc, char** argv) { return trialward::cli::run(argc, argv); }

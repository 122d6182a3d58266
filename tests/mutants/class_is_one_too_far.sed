# A root as old as its class allows falls into the next one.
# file: src/history/retention.c
# tests: retention
s/if (age <= policy->classes\[i\].age_us) {/if (age < policy->classes[i].age_us) {/
